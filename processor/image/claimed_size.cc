#include "processor/image/claimed_size.h"

#include "processor/image/png_chunks.h"

namespace thumb {
namespace {

std::uint32_t byte_at(ByteView file, std::size_t at) {
  return std::to_integer<std::uint32_t>(file[at]);
}
std::uint32_t big16(ByteView file, std::size_t at) {
  return byte_at(file, at) << 8U | byte_at(file, at + 1);
}
std::uint32_t little16(ByteView file, std::size_t at) {
  return byte_at(file, at) | byte_at(file, at + 1) << 8U;
}
std::uint32_t little24(ByteView file, std::size_t at) {
  return little16(file, at) | byte_at(file, at + 2) << 16U;
}

// T.81: a start-of-frame marker is C0 to CF but DHT (C4), JPG (C8) and DAC (CC).
bool starts_frame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}
// Markers without a length: TEM and the restarts.
bool stands_alone(std::uint32_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

std::optional<PixelSize> jpeg_size(ByteView file) {
  constexpr std::size_t kFrameBytes = 9;  // marker, length, precision, height, width
  std::size_t at = 2;
  while (at + kFrameBytes <= file.size()) {
    if (byte_at(file, at) != 0xFF) return std::nullopt;
    const std::uint32_t marker = byte_at(file, at + 1);
    if (marker == 0xFF || stands_alone(marker)) {
      at += marker == 0xFF ? 1 : 2;  // fill bytes may precede a marker
    } else if (starts_frame(marker)) {
      return PixelSize{big16(file, at + 7), big16(file, at + 5)};
    } else {
      at += 2 + big16(file, at + 2);
    }
  }
  return std::nullopt;
}

std::optional<PixelSize> gif_size(ByteView file) {
  if (file.size() < 10) return std::nullopt;
  return PixelSize{little16(file, 6), little16(file, 8)};
}

// RFC 9649: the first chunk tells, and each of the three kinds in its own way.
std::optional<PixelSize> webp_size(ByteView file) {
  constexpr std::size_t kData = 20;  // of the first chunk
  if (file.size() < kData + 10) return std::nullopt;
  switch (byte_at(file, 15)) {
    case 'X':
      return PixelSize{little24(file, kData + 4) + 1, little24(file, kData + 7) + 1};
    case 'L': {
      const std::uint32_t bits = little16(file, kData + 1) | little16(file, kData + 3) << 16U;
      return PixelSize{(bits & 0x3FFFU) + 1, (bits >> 14U & 0x3FFFU) + 1};
    }
    case ' ':
      return PixelSize{little16(file, kData + 6) & 0x3FFFU, little16(file, kData + 8) & 0x3FFFU};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<PixelSize> claimed_size(ByteView file, ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return jpeg_size(file);
    case ImageFormat::kPng:
      return png_claimed_size(file);
    case ImageFormat::kGif:
      return gif_size(file);
    case ImageFormat::kWebp:
      return webp_size(file);
  }
  return std::nullopt;
}

}  // namespace thumb
