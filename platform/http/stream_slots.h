// One bound for all streams that are open at a time: each holds a connection for as long as it
// likes.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "platform/metrics.h"

namespace thumb::http {

// Thread-safe. Outlives its slots.
class StreamSlots {
 public:
  StreamSlots(std::size_t limit, prometheus::Gauge& open, prometheus::Counter& dropped)
      : limit_(limit), gauge_(open), dropped_(dropped) {}

  [[nodiscard]] bool try_take() {
    std::size_t used = used_.load();
    do {
      if (used >= limit_) return false;
    } while (!used_.compare_exchange_weak(used, used + 1));
    gauge_.Increment();
    return true;
  }
  void give_back() {
    used_.fetch_sub(1);
    gauge_.Decrement();
  }
  // A client was cut off because it did not take its bytes.
  void count_dropped() { dropped_.Increment(); }
  [[nodiscard]] std::size_t used() const { return used_.load(); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  prometheus::Gauge& gauge_;
  prometheus::Counter& dropped_;
};

}  // namespace thumb::http
