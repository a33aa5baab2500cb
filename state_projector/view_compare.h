// Where a view is not what a replay of the log gives, row by row and beyond the rows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "state_projector/key_value_store.h"

namespace thumb {

struct ViewDifference {
  std::string what;    // "row", "history", "unreadable", "index", "counter"
  std::string where;   // the image's id; place of the record; name of the counter
  std::string view;    // JSON on one line; "null" if it has none
  std::string replay;  // the same
};

// The first `limit` differences between `view` and `replay`, which stand at the same positions:
//
//   row         canonical forms differ (docs/view_format.md), or `view` has one that can't be read
//               (shown as why); its index and counters are left out then
//   history     an entry of a topic that is kept for ever
//   unreadable  the record is listed in one of them only
//
// and what `view` says of its own rows: that each has its index entries and nothing else has any,
// and that the counters count them. Reads everything of both, and changes nothing. REQUIRES:
// neither changes meanwhile.
[[nodiscard]] Result<std::vector<ViewDifference>> compare_views(const KeyValueReader& view,
                                                                const KeyValueReader& replay,
                                                                std::size_t limit);

// One JSON object on one line.
[[nodiscard]] std::string difference_json(const ViewDifference& difference);

}  // namespace thumb
