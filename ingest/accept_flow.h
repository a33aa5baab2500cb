// Guarantee 1: a file becomes an accepted image only when its bytes are durable and its event is
// acknowledged, in that order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ingest/ports.h"
#include "ingest/staged_file.h"
#include "platform/clock.h"
#include "platform/log.h"
#include "platform/metrics.h"
#include "schemas/row.h"

namespace thumb::ingest {

struct AcceptedImage {
  ImageRow row;          // as the view will show it; times are this machine's, not the log's
  LogPosition position;  // of its image-uploaded event
};

// What the flow counts: by outcome, and how long each stage takes.
class AcceptMetrics {
 public:
  explicit AcceptMetrics(Metrics& metrics);

  void count(const Result<AcceptedImage>& outcome);

  prometheus::Histogram& inspect;
  prometheus::Histogram& store;
  prometheus::Histogram& publish;
  prometheus::Histogram& whole;

 private:
  prometheus::Counter& accepted_;
  prometheus::Counter& refused_;
  prometheus::Counter& unavailable_;
};

// Thread-safe. Everything given to the constructor outlives every call of `done`.
class AcceptFlow {
 public:
  using Done = std::function<void(Result<AcceptedImage>)>;

  AcceptFlow(EventLog& events, IdSource& ids, const Clock& clock, std::uint64_t max_pixels,
             Log& log, Metrics& metrics);

  // Inspects and commits on the calling thread (blocks: fsync), then publishes without blocking.
  // `done` is called exactly once, inline or on the log's thread.
  // Errors: those of inspect_image() (never retry; nothing was stored), those of the store
  // (back off; nothing was published), and kUnavailable/"not-known-to-be-accepted" (back off): the
  // event may be in the log all the same, so the blob stays. A crash in between leaves a blob
  // without an event, never an event without a blob.
  void accept(StagedFile file, std::string traceparent, Done done);

 private:
  struct Attempt;
  [[nodiscard]] Result<void> store(StagedFile& file, Attempt& attempt);
  void publish_personal(const std::shared_ptr<Attempt>& attempt);
  void publish_upload(const std::shared_ptr<Attempt>& attempt);
  void finish(Attempt& attempt, const Result<LogPosition>& upload);
  void refuse(Attempt& attempt, Error error);

  EventLog& events_;
  IdSource& ids_;
  const Clock& clock_;
  const std::uint64_t max_pixels_;
  Log& log_;
  AcceptMetrics metrics_;
};

}  // namespace thumb::ingest
