// JPEG (ITU-T T.81, annex B): segments up to each scan, entropy-coded data up to the next marker,
// and so on to the end-of-image marker.
#include <optional>

#include "ingest/inspect_formats.h"

namespace thumb::ingest::formats {

namespace {

constexpr std::string_view kName = "JPEG";
constexpr std::uint32_t kStartOfImage = 0xD8;
constexpr std::uint32_t kEndOfImage = 0xD9;
constexpr std::uint32_t kStartOfScan = 0xDA;

bool is_restart(std::uint32_t marker) { return marker >= 0xD0 && marker <= 0xD7; }

// Markers that stand alone, without a length: TEM, RSTn, SOI.
bool stands_alone(std::uint32_t marker) {
  return marker == 0x01 || is_restart(marker) || marker == kStartOfImage;
}

// SOF0..SOF15 without DHT, JPG and DAC, which lie among them.
bool is_frame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// The position after the next marker from `at` on, its code in `marker`; nothing at the end. In
// entropy-coded data FF00 is a data byte and RSTn no boundary; between segments decoders skip stray
// bytes (libjpeg: "extraneous bytes before marker"), so the same search serves both.
std::optional<std::size_t> next_marker(const Numbers& in, std::size_t at, std::uint32_t& marker) {
  for (; at + 1 < in.size(); ++at) {
    if (in.u8(at) != 0xFF) continue;
    marker = in.u8(at + 1);
    if (marker == 0x00 || marker == 0xFF || is_restart(marker)) continue;
    return at + 2;
  }
  return std::nullopt;
}

Result<PixelSize> frame_size(const Numbers& in, std::size_t at, std::uint32_t length,
                             std::uint64_t max_pixels) {
  if (length < 8) return malformed(kName, "its frame header is too short");
  const PixelSize size{.width = in.be16(at + 5), .height = in.be16(at + 3)};
  return check_size(kName, size, max_pixels).map([size] { return size; });
}

}  // namespace

Result<PixelSize> inspect_jpeg(ByteView bytes, std::uint64_t max_pixels) {
  const Numbers in(bytes);
  std::optional<PixelSize> size;
  bool scanned = false;
  std::uint32_t marker = 0;
  auto at = next_marker(in, 2, marker);  // past SOI
  for (; at; at = next_marker(in, *at, marker)) {
    if (marker == kEndOfImage) {
      if (!scanned) return malformed(kName, "it holds no image data");
      return *size;
    }
    if (stands_alone(marker)) continue;
    if (!in.has(*at, 2)) break;
    const auto length = in.be16(*at);
    if (length < 2) return malformed(kName, "a segment's length is below 2");
    const bool whole = in.has(*at, length);
    if (is_frame(marker) && !size && in.has(*at, 8)) {
      auto frame = frame_size(in, *at, length, max_pixels);
      if (!frame) return Failure(frame.error());
      size = *frame;
    }
    if (!whole) break;
    if (marker == kStartOfScan) {
      if (!size) return malformed(kName, "image data comes before its frame header");
      scanned = true;
    }
    *at += length;
  }
  return truncated(kName, scanned ? "its end-of-image marker" : "its image data");
}

}  // namespace thumb::ingest::formats
