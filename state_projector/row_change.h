// What else changes when a row does: its index entries and the counters, as a function of the old
// row and the new one. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schemas/row.h"
#include "state_projector/key_value_store.h"

namespace thumb {

// Images by state; only what is visible counts.
using StateCounts = std::map<ImageState, std::int64_t>;

// The keys of the row's index entries; none of one that is not visible.
[[nodiscard]] std::vector<std::string> index_keys(const ImageRow& row);

// Appends what turns the stored form of `before` (empty: nothing stored) into that of `after`:
// the row and its index entries. Adds to `counts` what the counters change by. Equal rows append
// nothing. REQUIRES: both are of one image.
void append_row_change(const std::optional<ImageRow>& before, const ImageRow& after,
                       std::vector<KeyChange>& changes, StateCounts& counts);

}  // namespace thumb
