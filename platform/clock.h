// Time as a port, so that whatever decides by time can be tested without waiting.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "platform/result.h"

namespace thumb {

// Milliseconds since the Unix epoch: the resolution of Kafka's record timestamps.
using TimeMs = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Deadline = std::chrono::steady_clock::time_point;

[[nodiscard]] constexpr TimeMs time_from_ms(std::int64_t since_epoch_ms) {
  return TimeMs(std::chrono::milliseconds(since_epoch_ms));
}

[[nodiscard]] constexpr std::int64_t to_ms(TimeMs time) { return time.time_since_epoch().count(); }

// RFC 3339 in UTC with milliseconds: "2026-01-31T08:15:30.123Z".
[[nodiscard]] std::string to_rfc3339(TimeMs time);

// Accepts RFC 3339 with any number of fraction digits (cut to ms) and "Z" or a numeric zone offset.
[[nodiscard]] Result<TimeMs> parse_rfc3339(std::string_view text);

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimeMs now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimeMs now() const override;
};

}  // namespace thumb
