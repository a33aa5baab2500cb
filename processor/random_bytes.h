// Randomness as a port: span ids and jitter that a test can foresee.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <span>

namespace thumb {

// Fills all of the span. Thread-safe.
using RandomBytes = std::function<void(std::span<std::uint8_t>)>;

[[nodiscard]] inline RandomBytes system_random_bytes() {
  return [](std::span<std::uint8_t> out) {
    std::random_device device;
    for (auto& byte : out) byte = static_cast<std::uint8_t>(device());
  };
}

template <std::size_t N>
[[nodiscard]] std::array<std::uint8_t, N> random_array(const RandomBytes& random) {
  std::array<std::uint8_t, N> bytes{};
  random(bytes);
  return bytes;
}

// In [0, 1).
[[nodiscard]] inline double random_fraction(const RandomBytes& random) {
  const auto bytes = random_array<2>(random);
  return (bytes[0] * 256 + bytes[1]) / 65'536.0;
}

}  // namespace thumb
