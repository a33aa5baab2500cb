#include "state_projector/history_change.h"

#include <algorithm>
#include <set>
#include <string>

#include "state_projector/view_keys.h"

namespace thumb {
namespace {

bool is_personal(Topic topic) { return topic == Topic::kImagePrivate; }

// The stored keys that the batch makes go: all, or those of personal fields that stand below
// `erased_below`.
Result<std::set<std::string>> outdated(const KeyValueReader& view, const ImageRow& after,
                                       std::int64_t erased_below) {
  std::set<std::string> keys;
  const auto prefix = view_keys::history_prefix(after.id);
  const auto scanned = view.scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    const auto place = view_keys::parse_history(key);
    const bool erased =
        place && !stays_in_history(place->partition.topic, place->offset, erased_below);
    if (after.deleted || erased) keys.emplace(key);
    return true;
  });
  if (!scanned) return Failure(scanned.error());
  return keys;
}

// The offset of the newest tombstone of personal fields among `entries`; 0 if there is none.
std::int64_t newest_tombstone(std::span<const HistoryEntry* const> entries) {
  std::int64_t offset = 0;
  for (const auto* entry : entries) {
    if (erases_personal(entry->topic, entry->part)) {
      offset = std::max(offset, entry->position.offset);
    }
  }
  return offset;
}

}  // namespace

bool erases_personal(Topic topic, const ImageRow& part) {
  return is_personal(topic) && part.personal && part.personal->filename.empty();
}

bool stays_in_history(Topic topic, std::int64_t offset, std::int64_t erased_below) {
  return !is_personal(topic) || offset >= erased_below;
}

Result<void> append_history_change(const KeyValueReader& view, const ImageRow& after,
                                   bool deleted_before,
                                   std::span<const HistoryEntry* const> entries,
                                   std::vector<KeyChange>& changes) {
  if (after.deleted && deleted_before) return {};
  const std::int64_t erased_below = newest_tombstone(entries);
  if (after.deleted || erased_below > 0) {
    const auto keys = outdated(view, after, erased_below);
    if (!keys) return Failure(keys.error());
    for (const auto& key : *keys) changes.push_back({key, std::nullopt});
  }
  if (after.deleted) return {};
  for (const auto* entry : entries) {
    const auto& [partition, offset] = entry->position;
    if (!stays_in_history(entry->topic, offset, erased_below)) continue;
    changes.push_back(
        {view_keys::history(after.id, {entry->topic, partition}, offset), encode_history(*entry)});
  }
  return {};
}

}  // namespace thumb
