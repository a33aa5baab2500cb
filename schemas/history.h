// What happened to an image, event by event, as the view keeps it: enough to tell it as it was at
// any time. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/row.h"
#include "schemas/topology.h"

namespace thumb {

// One record of the log.
struct HistoryEntry {
  Topic topic{};
  LogPosition position;
  TimeMs at;          // its timestamp: log time
  std::string event;  // "image-uploaded"
  std::string actor;  // empty where the event names none
  std::optional<std::string> traceparent;
  ImageRow part;  // what is known of the image from this record alone

  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

// By (at, topic, position): the order of log time, with one order for what has the same time.
[[nodiscard]] bool happened_before(const HistoryEntry& a, const HistoryEntry& b);

// The row as the records with a timestamp <= `at` make it: a row that is not visible() if the image
// was not there yet.
[[nodiscard]] ImageRow row_as_of(const ImageId& id, std::span<const HistoryEntry> history,
                                 TimeMs at);

// The stored form; topic, position and image are its key.
[[nodiscard]] std::string encode_history(const HistoryEntry& entry);
// kCorrupt/"corrupt-history" if it can't be read.
[[nodiscard]] Result<HistoryEntry> decode_history(const ImageId& id, Topic topic,
                                                  const LogPosition& position,
                                                  std::string_view bytes);

// Only the part of it. Errors as above.
[[nodiscard]] Result<ImageRow> decode_history_part(const ImageId& id, std::string_view bytes);

}  // namespace thumb
