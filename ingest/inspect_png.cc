// PNG (W3C, section 5): a chain of chunks from IHDR to IEND.
#include <algorithm>

#include "ingest/inspect_formats.h"

namespace thumb::ingest::formats {

namespace {

constexpr std::string_view kName = "PNG";
constexpr std::size_t kSignature = 8;
constexpr std::size_t kChunkOverhead = 12;  // length, type, CRC
constexpr std::uint32_t kMaxNumber = 0x7FFFFFFF;

bool is_chunk_type(const Numbers& in, std::size_t at) {
  for (std::size_t i = at; i < at + 4; ++i) {
    const auto c = in.u8(i) | 0x20U;
    if (c < 'a' || c > 'z') return false;
  }
  return true;
}

Result<PixelSize> header_size(const Numbers& in, std::uint64_t max_pixels) {
  if (!in.has(kSignature, 16)) return truncated(kName, "its size");
  if (in.be32(kSignature) != 13 || !in.is(kSignature + 4, "IHDR")) {
    return malformed(kName, "its first chunk is no header");
  }
  const PixelSize size{.width = in.be32(kSignature + 8), .height = in.be32(kSignature + 12)};
  if (size.width > kMaxNumber || size.height > kMaxNumber) {
    return malformed(kName, "its size is past what the format allows");
  }
  return check_size(kName, size, max_pixels).map([size] { return size; });
}

}  // namespace

Result<PixelSize> inspect_png(ByteView bytes, std::uint64_t max_pixels) {
  const Numbers in(bytes);
  const auto size = header_size(in, max_pixels);
  if (!size) return size;
  bool has_data = false;
  for (std::size_t at = kSignature; in.has(at, 8);) {
    const auto length = in.be32(at);
    if (length > kMaxNumber) return malformed(kName, "a chunk's length is past the format's limit");
    if (!is_chunk_type(in, at + 4)) return malformed(kName, "a chunk has no valid type");
    if (!in.has(at, std::uint64_t{length} + kChunkOverhead)) break;
    if (in.is(at + 4, "IDAT")) has_data = true;
    if (in.is(at + 4, "IEND")) {
      if (!has_data) return malformed(kName, "it holds no image data");
      return size;
    }
    at += length + kChunkOverhead;
  }
  return truncated(kName, "its IEND chunk");
}

}  // namespace thumb::ingest::formats
