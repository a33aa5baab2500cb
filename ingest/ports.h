// Ports of this service: what its routes need of the log and of chance, without knowing Kafka.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/events.h"
#include "schemas/ids.h"

namespace thumb::ingest {

// Appends events to the log, durably. Thread-safe.
class EventLog {
 public:
  using Done = std::function<void(Result<LogPosition>)>;

  virtual ~EventLog() = default;

  // Never blocks. `done` is called exactly once: when all in-sync replicas have the event, or with
  // an error (kTimeout or kUnavailable, back off; the event may be in the log all the same). It
  // runs on the log's own thread or inline, must be short and must not throw; it may publish again.
  virtual void publish(const Event& event, const std::string& traceparent, Done done) = 0;
};

// Where the log of image-requests ends now: what a view must have folded to know everything.
class LogEnds {
 public:
  virtual ~LogEnds() = default;

  // The offset that the partition's next record will get, asked of its leader. Thread-safe; blocks
  // up to the adapter's time limit. Errors: kUnavailable or kTimeout (back off).
  [[nodiscard]] virtual Result<std::int64_t> end_of(std::int32_t partition) = 0;
};

// New identities. Thread-safe.
class IdSource {
 public:
  virtual ~IdSource() = default;
  [[nodiscard]] virtual ImageId new_image_id() = 0;
  [[nodiscard]] virtual RequestId new_request_id() = 0;
  // A child of the trace that `incoming` names if that is a valid traceparent, else a new trace.
  [[nodiscard]] virtual std::string traceparent(std::optional<std::string_view> incoming) = 0;
};

}  // namespace thumb::ingest
