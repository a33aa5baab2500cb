// The same functions decide as in ViewWriter: join, append_row_change, stays_in_history. What is
// left out is looking up what a view holds that holds nothing.
#include "state_projector/bulk_range.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "platform/failpoint.h"
#include "platform/on_threads.h"
#include "schemas/history.h"
#include "schemas/row_join.h"
#include "state_projector/fold.h"
#include "state_projector/history_change.h"
#include "state_projector/view_keys.h"

namespace thumb {
namespace {

class RangeFolder {
 public:
  static Result<RangeFolder> begin(KeyValueStore& store) {
    RangeFolder folder;
    for (auto* run : {&folder.rows_, &folder.history_, &folder.unreadable_}) {
      auto begun = store.begin_run();
      if (!begun) return Failure(std::move(begun.error()));
      *run = std::move(*begun);
    }
    return folder;
  }

  Result<void> add(std::string_view key, std::string_view value) {
    if (key.starts_with(view_keys::kUnreadable)) {
      ++range_.unreadable;
      return unreadable_->add(key, value);
    }
    const auto id = view_keys::parse_history_image(key);
    const auto place = view_keys::parse_history(key);
    if (!id || !place) return fail(ErrorKind::kCorrupt, "corrupt-history", "a key is damaged");
    if (!row_ || row_->id != *id) {
      if (auto finished = finish_image(); !finished) return finished;
      row_ = empty_row(*id);
    }
    auto part = decode_history_part(*id, value);
    if (!part) return Failure(std::move(part.error()));
    const auto topic = place->partition.topic;
    if (erases_personal(topic, *part)) erased_below_ = std::max(erased_below_, place->offset);
    join(*row_, std::move(*part));
    if (used_ == entries_.size()) entries_.emplace_back();
    auto& entry = entries_[used_++];
    entry.key = key;
    entry.value = value;
    entry.topic = topic;
    entry.offset = place->offset;
    return {};
  }

  Result<BulkRange> finish() {
    if (auto finished = finish_image(); !finished) return Failure(std::move(finished.error()));
    range_.runs.push_back(std::move(rows_));
    range_.runs.push_back(std::move(history_));
    range_.runs.push_back(std::move(unreadable_));
    std::ranges::sort(range_.index_keys);
    return std::move(range_);
  }

 private:
  struct Entry {
    std::string key;
    std::string value;
    Topic topic{};
    std::int64_t offset = 0;
  };

  Result<void> finish_image() {
    if (!row_) return {};
    changes_.clear();
    append_row_change(std::nullopt, *row_, changes_, range_.counts);
    for (auto& change : changes_) {
      if (!change.key.starts_with(view_keys::kRows)) {
        range_.index_keys.push_back(std::move(change.key));
      } else if (auto added = rows_->add(change.key, *change.value); !added) {
        return added;
      }
    }
    for (std::size_t i = 0; i < used_ && !row_->deleted; ++i) {
      const auto& entry = entries_[i];
      if (!stays_in_history(entry.topic, entry.offset, erased_below_)) continue;
      if (auto added = history_->add(entry.key, entry.value); !added) return added;
    }
    row_.reset();
    used_ = 0;
    erased_below_ = 0;
    return {};
  }

  BulkRange range_;
  std::unique_ptr<SortedRun> rows_;
  std::unique_ptr<SortedRun> history_;
  std::unique_ptr<SortedRun> unreadable_;
  // Of the image at hand.
  std::optional<ImageRow> row_;
  std::vector<Entry> entries_;  // the first used_ of them; the others keep their memory
  std::size_t used_ = 0;
  std::int64_t erased_below_ = 0;
  std::vector<KeyChange> changes_;
};

}  // namespace

Result<BulkRange> fold_range(EntryCursor& entries, std::string_view end, KeyValueStore& store,
                             const std::stop_token& stop) {
  auto folder = RangeFolder::begin(store);
  if (!folder) return Failure(std::move(folder.error()));
  while (entries.valid() && (end.empty() || entries.key() < end)) {
    if (stop.stop_requested()) return told_to_stop();
    failpoint("rebuild.between-entries");
    if (auto added = folder->add(entries.key(), entries.value()); !added) {
      return Failure(std::move(added.error()));
    }
    if (auto moved = entries.next(); !moved) return Failure(std::move(moved.error()));
  }
  return folder->finish();
}

}  // namespace thumb
