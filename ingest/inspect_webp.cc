// WebP (RFC 9649): a RIFF container; the first chunk tells the size.
#include <algorithm>

#include "ingest/inspect_formats.h"

namespace thumb::ingest::formats {

namespace {

constexpr std::string_view kName = "WebP";
constexpr std::size_t kFirstChunk = 12;  // past "RIFF", size, "WEBP"
constexpr std::size_t kChunkHeader = 8;

// From the chunk at kFirstChunk; its first ten bytes of content are enough for each of the three.
Result<PixelSize> header_size(const Numbers& in) {
  const auto at = kFirstChunk + kChunkHeader;
  if (!in.has(kFirstChunk, kChunkHeader)) return truncated(kName, "its first chunk");
  if (in.is(kFirstChunk, "VP8X")) {
    if (!in.has(at, 10)) return truncated(kName, "its size");
    return PixelSize{.width = in.le24(at + 4) + 1, .height = in.le24(at + 7) + 1};
  }
  if (in.is(kFirstChunk, "VP8 ")) {
    if (!in.has(at, 10)) return truncated(kName, "its size");
    if (!in.is(at + 3, "\x9D\x01\x2A")) return malformed(kName, "its frame has no start code");
    return PixelSize{.width = in.le16(at + 6) & 0x3FFFU, .height = in.le16(at + 8) & 0x3FFFU};
  }
  if (in.is(kFirstChunk, "VP8L")) {
    if (!in.has(at, 5)) return truncated(kName, "its size");
    if (in.u8(at) != 0x2F) return malformed(kName, "its lossless frame has no signature");
    const auto bits = in.le32(at + 1);
    return PixelSize{.width = (bits & 0x3FFFU) + 1, .height = (bits >> 14U & 0x3FFFU) + 1};
  }
  return malformed(kName, "its first chunk is no image");
}

bool is_image(const Numbers& in, std::size_t chunk) {
  return in.is(chunk, "VP8 ") || in.is(chunk, "VP8L") || in.is(chunk, "ANMF");
}

}  // namespace

Result<PixelSize> inspect_webp(ByteView bytes, std::uint64_t max_pixels) {
  const Numbers in(bytes);
  const auto size = header_size(in);
  if (!size) return size;
  if (auto ok = check_size(kName, *size, max_pixels); !ok) return Failure(ok.error());
  if (!in.has(8, in.le32(4))) return truncated(kName, "the size its container claims");
  const auto end = std::size_t{8} + in.le32(4);
  bool has_image = false;
  for (std::size_t at = kFirstChunk; at + kChunkHeader <= end;) {
    const auto length = std::size_t{in.le32(at + 4)};
    if (length > end - at - kChunkHeader) return malformed(kName, "a chunk leaves its container");
    has_image = has_image || is_image(in, at);
    at += kChunkHeader + length + (length & 1U);
  }
  if (!has_image) return malformed(kName, "it holds no image data");
  return size;
}

}  // namespace thumb::ingest::formats
