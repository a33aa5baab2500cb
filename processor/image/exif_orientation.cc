#include "processor/image/exif_orientation.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace thumb {
namespace {

constexpr int kUpright = 1;
constexpr std::string_view kExifMark("Exif\0\0", 6);

enum class ByteOrder { kLittle, kBig };

// Numbers of a given byte order out of bytes that may end anywhere.
class Numbers {
 public:
  Numbers(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  [[nodiscard]] std::optional<std::uint64_t> at(std::uint64_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = order_ == ByteOrder::kBig ? i : size - 1 - i;
      value = value << 8U | static_cast<unsigned char>(bytes_[offset + from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  ByteOrder order_;
};

// The first directory of a TIFF block (TIFF 6.0, section 2; EXIF 2.3, tag 0x0112).
int orientation_of_tiff(std::string_view tiff) {
  constexpr std::uint64_t kOrientationTag = 0x0112;
  constexpr std::uint64_t kShort = 3;
  constexpr std::uint64_t kEntryBytes = 12;
  if (tiff.starts_with(kExifMark)) tiff.remove_prefix(kExifMark.size());
  const bool big = tiff.starts_with("MM");
  if (!big && !tiff.starts_with("II")) return kUpright;
  const Numbers numbers(tiff, big ? ByteOrder::kBig : ByteOrder::kLittle);
  const std::uint64_t directory = numbers.at(4, 4).value_or(0);
  const std::uint64_t entries = numbers.at(directory, 2).value_or(0);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = directory + 2 + i * kEntryBytes;
    const auto tag = numbers.at(entry, 2);
    if (!tag) return kUpright;
    if (*tag != kOrientationTag || numbers.at(entry + 2, 2) != kShort) continue;
    const std::uint64_t value = numbers.at(entry + 8, 2).value_or(0);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

// Segments up to the first scan; APP1 with the EXIF mark (EXIF 2.3, section 4.5).
std::string_view exif_of_jpeg(std::string_view file) {
  constexpr std::uint64_t kApp1 = 0xE1;
  constexpr std::uint64_t kStartOfScan = 0xDA;
  const Numbers numbers(file, ByteOrder::kBig);
  std::uint64_t at = 2;
  while (numbers.at(at, 1) == 0xFFU) {
    const auto marker = numbers.at(at + 1, 1);
    if (marker == 0xFFU) {  // fill byte
      ++at;
      continue;
    }
    const auto length = numbers.at(at + 2, 2);
    if (!length || *length < 2 || marker == kStartOfScan) break;
    const std::string_view body = file.substr(at + 4, *length - 2);
    if (marker == kApp1 && body.starts_with(kExifMark)) return body;
    at += 2 + *length;
    if (at > file.size()) break;
  }
  return {};
}

std::string_view exif_of_png(std::string_view file) {
  const Numbers numbers(file, ByteOrder::kBig);
  std::uint64_t at = 8;
  while (const auto length = numbers.at(at, 4)) {
    if (at + 8 > file.size()) break;
    if (file.substr(at + 4, 4) == "eXIf") return file.substr(at + 8, *length);
    at += 12 + *length;
  }
  return {};
}

std::string_view exif_of_webp(std::string_view file) {
  const Numbers numbers(file, ByteOrder::kLittle);
  std::uint64_t at = 12;
  while (const auto length = numbers.at(at + 4, 4)) {
    if (at + 8 > file.size()) break;
    if (file.substr(at, 4) == "EXIF") return file.substr(at + 8, *length);
    at += 8 + *length + *length % 2;
  }
  return {};
}

}  // namespace

int exif_orientation(ByteView file, ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return orientation_of_tiff(exif_of_jpeg(as_text(file)));
    case ImageFormat::kPng:
      return orientation_of_tiff(exif_of_png(as_text(file)));
    case ImageFormat::kWebp:
      return orientation_of_tiff(exif_of_webp(as_text(file)));
    case ImageFormat::kGif:
      return kUpright;
  }
  return kUpright;
}

}  // namespace thumb
