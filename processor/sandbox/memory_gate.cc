#include "processor/sandbox/memory_gate.h"

#include <algorithm>

namespace thumb {

MemoryGate::Share::~Share() {
  if (gate_ == nullptr) return;
  {
    const std::scoped_lock lock(gate_->mutex_);
    gate_->used_ -= bytes_;
  }
  gate_->changed_.notify_all();
}

MemoryGate::Share MemoryGate::enter(std::uint64_t bytes, std::chrono::milliseconds wait) {
  bytes = std::min(bytes, capacity_);
  std::unique_lock lock(mutex_);
  const auto me = waiting_.insert(waiting_.end(), bytes);
  const bool entered = changed_.wait_for(
      lock, wait, [&] { return me == waiting_.begin() && used_ + bytes <= capacity_; });
  waiting_.erase(me);
  if (entered) used_ += bytes;
  lock.unlock();
  changed_.notify_all();  // whoever is first in line now
  if (!entered) return {};
  return {*this, bytes};
}

}  // namespace thumb
