#include "processor/image/png_chunks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace thumb {
namespace {

// PNG specification, section 5: signature; then length, type, data, CRC of each chunk.
constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkFrameBytes = 12;

std::uint32_t number_at(std::string_view png, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8U | static_cast<unsigned char>(png[at + i]);
  }
  return number;
}

bool is_text(std::string_view type) {
  constexpr std::array<std::string_view, 3> kTexts = {"tEXt", "zTXt", "iTXt"};
  return std::find(kTexts.begin(), kTexts.end(), type) != kTexts.end();
}

}  // namespace

std::optional<std::string> png_without_texts(ByteView png_bytes) {
  const std::string_view png = as_text(png_bytes);
  std::optional<std::string> kept;
  std::size_t copied_to = 0;
  std::size_t at = kSignatureBytes;
  while (at + kChunkFrameBytes <= png.size()) {
    const std::size_t length = number_at(png, at);
    if (length > png.size() - at - kChunkFrameBytes) break;
    const std::size_t next = at + kChunkFrameBytes + length;
    if (is_text(png.substr(at + 4, 4))) {
      if (!kept) kept.emplace().reserve(png.size());
      kept->append(png, copied_to, at - copied_to);
      copied_to = next;
    }
    at = next;
  }
  if (kept) kept->append(png, copied_to);
  return kept;
}

std::optional<PixelSize> png_claimed_size(ByteView png_bytes) {
  const std::string_view png = as_text(png_bytes);
  constexpr std::size_t kSizes = kSignatureBytes + 8;
  if (png.size() < kSizes + 8 || png.substr(kSignatureBytes + 4, 4) != "IHDR") return std::nullopt;
  return PixelSize{number_at(png, kSizes), number_at(png, kSizes + 4)};
}

}  // namespace thumb
