// One bound for all bodies being received at a time, so that many uploads at once can't exceed
// what the machine was given.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "platform/metrics.h"

namespace thumb::http {

// Thread-safe. Outlives its reservations.
class BodyBudget {
 public:
  BodyBudget(std::uint64_t limit_bytes, prometheus::Gauge& reserved)
      : limit_(limit_bytes), gauge_(reserved) {}

  [[nodiscard]] bool try_take(std::uint64_t bytes) {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    gauge_.Increment(static_cast<double>(bytes));
    return true;
  }

  void give_back(std::uint64_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    gauge_.Decrement(static_cast<double>(bytes));
  }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
  prometheus::Gauge& gauge_;
};

// A share of the budget, given back when it goes. One connection's; not thread-safe.
class BodyReservation {
 public:
  explicit BodyReservation(BodyBudget& budget) : budget_(budget) {}
  ~BodyReservation() { release(); }
  BodyReservation(const BodyReservation&) = delete;
  BodyReservation& operator=(const BodyReservation&) = delete;

  // Adds to the share; false, and nothing added, if the budget has no room.
  [[nodiscard]] bool grow(std::uint64_t bytes) {
    if (bytes == 0) return true;
    if (!budget_.try_take(bytes)) return false;
    held_ += bytes;
    return true;
  }

  void release() {
    if (held_ > 0) budget_.give_back(std::exchange(held_, 0));
  }

 private:
  BodyBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace thumb::http
