// Waits for a condition with a deadline: how tests await what other threads and processes do.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace thumb::testing {

// True as soon as `condition` holds; false if it does not within `limit`.
inline bool wait_until(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace thumb::testing
