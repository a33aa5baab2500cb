// How many connections a server has, in all its reactors.
#pragma once

#include <prometheus/gauge.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace thumb::http {

// Thread-safe.
class ConnectionCount {
 public:
  explicit ConnectionCount(prometheus::Gauge& gauge) : gauge_(gauge) {}

  std::size_t add() {
    gauge_.Increment();
    const std::lock_guard lock(mutex_);
    return ++count_;
  }
  void remove() {
    gauge_.Decrement();
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  [[nodiscard]] bool wait_for_none(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, limit, [this] { return count_ == 0; });
  }
  [[nodiscard]] std::size_t get() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  prometheus::Gauge& gauge_;
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

}  // namespace thumb::http
