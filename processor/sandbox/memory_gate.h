// Keeps the pixels of all images in work below one sum, over all decoding processes: each alone may
// hold enough for the largest image, which times their number is more than the machine has.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

namespace thumb {

// Thread-safe. Served in the order of asking, so that small images can't starve a large one.
class MemoryGate {
 public:
  explicit MemoryGate(std::uint64_t capacity_bytes) : capacity_(capacity_bytes) {}

  // A share of the memory, given back at the end of its life. Empty if the time ran out.
  // REQUIRES: the gate outlives it.
  class Share {
   public:
    Share() = default;
    Share(MemoryGate& gate, std::uint64_t bytes) : gate_(&gate), bytes_(bytes) {}
    Share(Share&& other) noexcept : gate_(other.gate_), bytes_(other.bytes_) {
      other.gate_ = nullptr;
    }
    Share& operator=(Share&& other) noexcept {
      std::swap(gate_, other.gate_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share();
    [[nodiscard]] explicit operator bool() const { return gate_ != nullptr; }

   private:
    MemoryGate* gate_ = nullptr;
    std::uint64_t bytes_ = 0;
  };

  // Waits until `bytes` are free. More than the capacity is cut to it: such an image works alone.
  [[nodiscard]] Share enter(std::uint64_t bytes, std::chrono::milliseconds wait);

 private:
  const std::uint64_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::uint64_t> waiting_;  // what each waits for, in order of asking
  std::uint64_t used_ = 0;
};

}  // namespace thumb
