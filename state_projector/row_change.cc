// Index entries are compared as sets of keys, so that an unchanged one is not written again.
#include "state_projector/row_change.h"

#include <algorithm>
#include <utility>

#include "state_projector/view_keys.h"

namespace thumb {
namespace {

void count(const ImageRow& row, std::int64_t by, StateCounts& counts) {
  if (row.visible()) counts[row.state()] += by;
}

}  // namespace

std::vector<std::string> index_keys(const ImageRow& row) {
  if (!row.visible()) return {};
  const auto place = view_keys::index_place(row);
  std::vector<std::string> keys{view_keys::index_prefix(row.state()) + place};
  if (!row.deleted) keys.push_back(view_keys::index_prefix(std::nullopt) + place);
  return keys;
}

void append_row_change(const std::optional<ImageRow>& before, const ImageRow& after,
                       std::vector<KeyChange>& changes, StateCounts& counts) {
  if (before && *before == after) return;
  const auto old_keys = before ? index_keys(*before) : std::vector<std::string>();
  const auto new_keys = index_keys(after);
  for (const auto& key : old_keys) {
    if (std::ranges::find(new_keys, key) == new_keys.end()) changes.push_back({key, std::nullopt});
  }
  for (const auto& key : new_keys) {
    if (std::ranges::find(old_keys, key) == old_keys.end()) changes.push_back({key, std::string()});
  }
  if (before) count(*before, -1, counts);
  count(after, 1, counts);
  changes.push_back({view_keys::row(after.id), encode_row(after)});
}

}  // namespace thumb
