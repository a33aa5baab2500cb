#include "processor/offset_ledger.h"

#include <algorithm>

namespace thumb {

void OffsetLedger::begin(std::int64_t offset) {
  finished_.emplace_hint(finished_.end(), offset, false);
}

void OffsetLedger::finish(std::int64_t offset) {
  if (const auto entry = finished_.find(offset); entry != finished_.end()) entry->second = true;
}

std::int64_t OffsetLedger::committable(std::size_t limit) const {
  std::int64_t next = next_commit_;
  for (const auto& [offset, finished] : finished_) {
    if (!finished || limit-- == 0) break;
    next = offset + 1;
  }
  return next;
}

std::size_t OffsetLedger::ready() const {
  const auto open =
      std::ranges::find(finished_, false, &std::pair<const std::int64_t, bool>::second);
  return static_cast<std::size_t>(std::distance(finished_.begin(), open));
}

void OffsetLedger::settle(std::int64_t next) {
  finished_.erase(finished_.begin(), finished_.lower_bound(next));
  next_commit_ = std::max(next_commit_, next);
}

}  // namespace thumb
