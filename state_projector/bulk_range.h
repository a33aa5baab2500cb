// A stretch of images of a bulk build: from their log entries to what the view stores of them.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "state_projector/entry_cursor.h"
#include "state_projector/key_value_store.h"
#include "state_projector/row_change.h"

namespace thumb {

// What a stretch comes to. The runs hold rows, history and unreadable records, in this order.
struct BulkRange {
  std::vector<std::unique_ptr<SortedRun>> runs;
  std::vector<std::string> index_keys;  // sorted
  StateCounts counts;
  std::int64_t unreadable = 0;
};

// Folds the entries below `end` (empty: all); keys and values are those of the view's history and
// of its unreadable records. REQUIRES: all entries of each image are there. Errors: those of the
// store and of `entries`; kUnavailable/"stopped"; kCorrupt (never) if an entry is not what was put
// in.
[[nodiscard]] Result<BulkRange> fold_range(EntryCursor& entries, std::string_view end,
                                           KeyValueStore& store, const std::stop_token& stop);

}  // namespace thumb
