#include "state_projector/log_entry.h"

#include <algorithm>
#include <utility>

#include "schemas/codec.h"
#include "state_projector/fold.h"

namespace thumb {
namespace {

constexpr std::size_t kMaxReasonBytes = 500;

}  // namespace

Result<HistoryEntry> read_entry(Topic topic, const RecordView& record) {
  auto decoded = decode(record);
  if (!decoded) return Failure(std::move(decoded.error()));
  Event& event = decoded->event;
  // A type on a topic that is not its own would be joined by offsets of another topic.
  if (topic_of(event) != topic) {
    return fail(ErrorKind::kCorrupt, "wrong-topic",
                std::string(event_name(event)) + " does not belong on this topic");
  }
  HistoryEntry entry{topic,
                     record.position,
                     record.timestamp,
                     std::string(event_name(event)),
                     actor_of(event),
                     std::move(decoded->traceparent),
                     {}};
  entry.part = part_of(std::move(event), {record.position, record.timestamp});
  return entry;
}

std::string reason_unread(const Error& error) {
  auto reason = error.code + ": " + error.message;
  reason.resize(std::min(reason.size(), kMaxReasonBytes));
  return reason;
}

}  // namespace thumb
