// A view as JSON text, for operators: what `dump` and `status` print.
#pragma once

#include <string>

#include "state_projector/view_queries.h"

namespace thumb {

// One object on one line, keys in fixed order, invisible rows told by "visible": false. Equal rows
// give equal text.
[[nodiscard]] std::string row_json(const ImageRow& row);

// One object on one line: event, time, actor, and the row that its record alone would make.
[[nodiscard]] std::string history_json(const HistoryEntry& entry);

struct ViewStatus {
  ViewMeta meta;
  Positions positions;
  StateCounts counts;
  std::int64_t unreadable_count = 0;
  std::vector<UnreadableRecord> unreadable;  // the first ones
};

[[nodiscard]] Result<ViewStatus> read_status(const KeyValueReader& view);

[[nodiscard]] std::string status_json(const ViewStatus& status);  // one line
[[nodiscard]] std::string status_text(const ViewStatus& status);  // for people, many lines
// "image-requests/0 12", one per line.
[[nodiscard]] std::string positions_text(const Positions& positions);

}  // namespace thumb
