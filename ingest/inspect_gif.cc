// GIF (GIF89a specification): screen descriptor, then blocks to the trailer.
#include <algorithm>
#include <optional>

#include "ingest/inspect_formats.h"

namespace thumb::ingest::formats {

namespace {

constexpr std::string_view kName = "GIF";
constexpr std::uint32_t kImage = 0x2C;
constexpr std::uint32_t kExtension = 0x21;
constexpr std::uint32_t kTrailer = 0x3B;
constexpr std::size_t kScreen = 13;  // signature and logical screen descriptor

// Bytes of the colour table that a flags byte announces.
std::size_t color_table(std::uint32_t flags) {
  return (flags & 0x80U) == 0 ? 0 : std::size_t{3} << ((flags & 7U) + 1U);
}

// The position after a chain of sub-blocks; nothing if it runs past the end.
std::optional<std::size_t> skip_sub_blocks(const Numbers& in, std::size_t at) {
  while (in.has(at, 1)) {
    const auto length = in.u8(at);
    at += 1 + length;
    if (length == 0) return at;
  }
  return std::nullopt;
}

}  // namespace

Result<PixelSize> inspect_gif(ByteView bytes, std::uint64_t max_pixels) {
  const Numbers in(bytes);
  if (!in.has(0, kScreen)) return truncated(kName, "its size");
  PixelSize size{.width = in.le16(6), .height = in.le16(8)};
  // Some writers leave the screen at 0x0 and mean the first frame's size.
  const bool has_screen = size.width != 0 && size.height != 0;
  if (has_screen) {
    if (auto ok = check_size(kName, size, max_pixels); !ok) return Failure(ok.error());
  }
  bool has_frame = false;
  std::optional<std::size_t> at = kScreen + color_table(in.u8(10));
  while (at && in.has(*at, 1)) {
    const auto block = in.u8(*at);
    if (block == kTrailer) {
      if (!has_frame) return malformed(kName, "it holds no image");
      return size;
    }
    if (block == kExtension) {
      at = skip_sub_blocks(in, *at + 2);
    } else if (block == kImage) {
      if (!in.has(*at, 11)) break;
      const PixelSize frame{.width = in.le16(*at + 5), .height = in.le16(*at + 7)};
      if (auto ok = check_size(kName, frame, max_pixels); !ok) return Failure(ok.error());
      if (!has_frame && !has_screen) size = frame;
      at = skip_sub_blocks(in, *at + 11 + color_table(in.u8(*at + 9)));
      has_frame = at.has_value();
    } else if (has_frame) {
      return size;  // decoders stop at the first thing they don't know; the first frame is whole
    } else {
      return malformed(kName, "an unknown block comes before its image");
    }
  }
  return truncated(kName, "its trailer");
}

}  // namespace thumb::ingest::formats
