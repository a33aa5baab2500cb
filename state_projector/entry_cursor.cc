#include "state_projector/entry_cursor.h"

#include <algorithm>
#include <utility>

namespace thumb {
namespace {

bool after(const std::unique_ptr<EntryCursor>& a, const std::unique_ptr<EntryCursor>& b) {
  return a->key() > b->key();
}

}  // namespace

MergedEntries::MergedEntries(std::vector<std::unique_ptr<EntryCursor>> cursors)
    : heap_(std::move(cursors)) {
  std::erase_if(heap_, [](const auto& cursor) { return !cursor->valid(); });
  std::ranges::make_heap(heap_, after);
}

Result<void> MergedEntries::next() {
  std::ranges::pop_heap(heap_, after);
  if (auto moved = heap_.back()->next(); !moved) return moved;
  if (heap_.back()->valid()) {
    std::ranges::push_heap(heap_, after);
  } else {
    heap_.pop_back();
  }
  return {};
}

}  // namespace thumb
