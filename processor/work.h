// What the processor makes of a record of image-requests: something to do, or something for the
// dead-letter topic. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "platform/log_position.h"
#include "platform/result.h"
#include "processor/repeat_filter.h"
#include "schemas/codec.h"
#include "schemas/dead_letters.h"
#include "schemas/events.h"
#include "schemas/topology.h"

namespace thumb {

// One request, understood.
struct Work {
  DecodedEvent decoded;  // ImageUploaded, ThumbnailRequested or ImageDeleted
  RequestKey request;
  LogPosition position;
  TimeMs appended_at;
};

[[nodiscard]] const EventBase& base_of(const Work& work);
[[nodiscard]] bool is_deletion(const Work& work);

// Errors, none to be retried: those of decode(), and "unexpected-event" (of another topic).
[[nodiscard]] Result<Work> understand(const InRecord& record);

// How a record ended; the label of thumb_processor_requests_total.
enum class Ending : std::uint8_t { kCompleted, kFailed, kRepeat, kDeleted, kDeadLettered };
[[nodiscard]] std::string_view to_string(Ending ending);

// What goes into the transaction for one record.
struct Outcome {
  Ending ending = Ending::kCompleted;
  std::vector<OutRecord> outputs;
};

// The record whole, with headers that say what happened: Kafka Connect's set, so that generic tools
// show it, and the one that generic tools redrive by.
[[nodiscard]] OutRecord dead_letter(const InRecord& record, const Error& error,
                                    const TopicNames& names);

// What is left out of a dead letter that is too large, one after the other. False if there is none.
bool leave_out_value(OutRecord& dead_letter);
bool leave_out_key_and_headers(OutRecord& dead_letter);  // but those that say what happened

}  // namespace thumb
