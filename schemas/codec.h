// Events <-> records: CloudEvents 1.0, Kafka binary mode, JSON data. Pure.
//
// ce_type is "io.thumbstream.<event name>.v1"; ce_id is "<request id>:<event name>", the same for
// every repeat of an event; the key is the image id. Fields that a reader does not know are
// ignored. The JSON of each event is described by schemas/<event name>.schema.json.
#pragma once

#include <optional>
#include <string>

#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/events.h"
#include "schemas/topology.h"

namespace thumb {

// What surrounds an event: where it came from and which trace it belongs to.
struct EventContext {
  TimeMs time;                             // ce_time: when it happened
  std::string source;                      // ce_source: "/thumbstream/ingest"
  std::optional<std::string> traceparent;  // W3C trace context, validated by trace.h
};

struct DecodedEvent {
  Event event;
  std::string event_id;
  std::optional<std::string> traceparent;
};

[[nodiscard]] Topic topic_of(const Event& event);
[[nodiscard]] std::string_view event_name(const Event& event);  // "image-uploaded"

[[nodiscard]] OutRecord encode(const Event& event, const EventContext& context,
                               const TopicNames& names);

// Errors, all kCorrupt and never to be retried: "not-a-cloudevent", "unknown-event-type",
// "unknown-event-version", "invalid-event" (the message names the first offending field).
// Reads binary and structured mode.
[[nodiscard]] Result<DecodedEvent> decode(const RecordView& record);
[[nodiscard]] inline Result<DecodedEvent> decode(const InRecord& record) {
  return decode(view_of(record));
}

}  // namespace thumb
