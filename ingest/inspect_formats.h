// Private to inspect*.cc: the walkers of each format and the words they share.
#pragma once

#include <cstdint>
#include <string_view>

#include "platform/bytes.h"
#include "platform/result.h"
#include "schemas/events.h"

namespace thumb::ingest::formats {

// Numbers at a position. REQUIRES: the position and what follows lie within the bytes.
class Numbers {
 public:
  explicit Numbers(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  // Whether `count` bytes are there from `at`, without overflow for any `count`.
  [[nodiscard]] bool has(std::size_t at, std::uint64_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  [[nodiscard]] std::uint32_t u8(std::size_t at) const {
    return std::to_integer<std::uint32_t>(bytes_[at]);
  }
  [[nodiscard]] std::uint32_t be16(std::size_t at) const { return u8(at) << 8U | u8(at + 1); }
  [[nodiscard]] std::uint32_t be32(std::size_t at) const { return be16(at) << 16U | be16(at + 2); }
  [[nodiscard]] std::uint32_t le16(std::size_t at) const { return u8(at + 1) << 8U | u8(at); }
  [[nodiscard]] std::uint32_t le24(std::size_t at) const { return u8(at + 2) << 16U | le16(at); }
  [[nodiscard]] std::uint32_t le32(std::size_t at) const { return le16(at + 2) << 16U | le16(at); }
  [[nodiscard]] bool is(std::size_t at, std::string_view text) const {
    return has(at, text.size()) && as_text(bytes_.subspan(at, text.size())) == text;
  }

 private:
  ByteView bytes_;
};

[[nodiscard]] Failure truncated(std::string_view format, std::string_view missing);
[[nodiscard]] Failure malformed(std::string_view format, std::string_view why);
// "malformed-image" if a side is zero, "too-many-pixels" past the limit.
[[nodiscard]] Result<void> check_size(std::string_view format, PixelSize size,
                                      std::uint64_t max_pixels);

// REQUIRES: the bytes start with the magic of the format.
[[nodiscard]] Result<PixelSize> inspect_jpeg(ByteView bytes, std::uint64_t max_pixels);
[[nodiscard]] Result<PixelSize> inspect_png(ByteView bytes, std::uint64_t max_pixels);
[[nodiscard]] Result<PixelSize> inspect_gif(ByteView bytes, std::uint64_t max_pixels);
[[nodiscard]] Result<PixelSize> inspect_webp(ByteView bytes, std::uint64_t max_pixels);

}  // namespace thumb::ingest::formats
