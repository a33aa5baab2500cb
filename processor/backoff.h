// How long to wait before a repeat. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace thumb {

struct Backoff {
  std::chrono::milliseconds first{50};
  std::chrono::milliseconds most{30'000};

  // Doubles with each failure before this one; `jitter` in [0, 1) spreads it over its upper half,
  // so that those who failed together don't come back together.
  [[nodiscard]] std::chrono::milliseconds delay(unsigned failures_before, double jitter) const {
    constexpr unsigned kMostDoublings = 20;
    const auto doubled = first * (std::int64_t{1} << std::min(failures_before, kMostDoublings));
    const auto whole = std::min(doubled, most);
    return std::chrono::duration_cast<std::chrono::milliseconds>(whole * (0.5 + jitter / 2));
  }
};

}  // namespace thumb
