#include "processor/image/jpeg/jpeg_scan.h"

#include <cstring>

#include "processor/image/jpeg/jpeg_huffman.h"

namespace thumb {
namespace {

constexpr std::byte kMarker{0xFF};
constexpr std::byte kStuffed{0x00};
constexpr std::uint32_t kFirstRestart = 0xD0;
constexpr std::uint32_t kRestarts = 8;
constexpr std::uint32_t kEndOfImage = 0xD9;

}  // namespace

std::optional<std::span<const std::uint8_t>> JpegScan::next_interval() {
  if (ended_) return std::nullopt;
  interval_.resize(rest_.size() + BitReader::kPadBytes);
  std::uint8_t* to = interval_.data();
  while (true) {
    const void* found = std::memchr(rest_.data(), static_cast<int>(kMarker), rest_.size());
    if (found == nullptr) return std::nullopt;
    const auto plain =
        static_cast<std::size_t>(static_cast<const std::byte*>(found) - rest_.data());
    if (plain + 1 >= rest_.size()) return std::nullopt;
    const std::byte after = rest_[plain + 1];
    const std::size_t kept = after == kStuffed ? plain + 1 : plain;
    std::memcpy(to, rest_.data(), kept);
    to += kept;
    rest_ = rest_.subspan(plain + 2);
    if (after == kStuffed) continue;
    const auto marker = std::to_integer<std::uint32_t>(after);
    ended_ = marker == kEndOfImage;
    if (!ended_ && marker != kFirstRestart + restart_due_) return std::nullopt;
    restart_due_ = (restart_due_ + 1) % kRestarts;
    break;
  }
  std::memset(to, 0, BitReader::kPadBytes);
  const auto bytes = static_cast<std::size_t>(to - interval_.data()) + BitReader::kPadBytes;
  return std::span<const std::uint8_t>(interval_.data(), bytes);
}

}  // namespace thumb
