// The primitives of everything the view stores: varints, texts, times, ids (docs/view_format.md).
// Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/clock.h"
#include "schemas/ids.h"

namespace thumb {

class ByteWriter {
 public:
  ByteWriter() { out_.reserve(kUsualBytes); }

  void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) {
    std::array<char, kMaxNumberBytes> bytes{};
    std::size_t size = 0;
    for (; value >= 0x80; value >>= 7U) bytes[size++] = static_cast<char>(value | 0x80U);
    bytes[size++] = static_cast<char>(value);
    out_.append(bytes.data(), size);
  }
  // Zigzag: small numbers of either sign stay short.
  void integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }
  void time(TimeMs value) { integer(to_ms(value)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void text(std::string_view bytes) {
    number(bytes.size());
    raw(bytes);
  }
  void uuid(const UuidBytes& bytes) {
    out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static constexpr std::size_t kMaxNumberBytes = 10;  // 64 bits, seven to a byte
  static constexpr std::size_t kUsualBytes = 256;     // of what is written: most need no more room
  std::string out_;
};

// Reads what ByteWriter wrote. After the first broken field every read gives zero values and ok()
// is false; nothing is allocated beyond the bytes that are there.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  void fail() { ok_ = false; }

  std::uint8_t byte() {
    const auto bytes = raw(1);
    return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[0]);
  }
  std::uint8_t bits(std::uint8_t known) {
    const auto value = byte();
    if ((value & ~known) != 0) fail();
    return value;
  }
  std::uint64_t number() {
    if (ok_ && !rest_.empty() && static_cast<std::uint8_t>(rest_.front()) < 0x80U) return byte();
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && ok_; shift += 7) {
      const auto piece = byte();
      if (shift == 63 && piece > 1) break;  // past 64 bits
      value |= static_cast<std::uint64_t>(piece & 0x7FU) << shift;
      if ((piece & 0x80U) == 0) return value;
    }
    fail();
    return 0;
  }
  std::uint32_t small_number() {
    const auto value = number();
    if (value > std::numeric_limits<std::uint32_t>::max()) fail();
    return ok_ ? static_cast<std::uint32_t>(value) : 0;
  }
  std::int64_t integer() {
    const auto bits = number();
    return static_cast<std::int64_t>((bits >> 1U) ^ (~(bits & 1U) + 1));
  }
  TimeMs time() { return time_from_ms(integer()); }
  std::string_view raw(std::uint64_t size) {
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string text() { return std::string(raw(number())); }
  UuidBytes uuid() {
    UuidBytes bytes{};
    const auto read = raw(bytes.size());
    std::transform(read.begin(), read.end(), bytes.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    return bytes;
  }
  // Each element takes at least one byte, so a lying count ends the loop at the end of the bytes.
  template <typename ReadOne>
  auto list(ReadOne read_one) {
    std::vector<decltype(read_one())> all;
    for (auto left = number(); left > 0 && ok_; --left) all.push_back(read_one());
    return all;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace thumb
