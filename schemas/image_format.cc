// Magic bytes of the formats we take.
#include "schemas/image_format.h"

#include <array>

namespace thumb {
namespace {

using namespace std::string_view_literals;

struct FormatFacts {
  ImageFormat format;
  std::string_view content_type;
  std::string_view extension;
};

constexpr std::array kFormats = {
    FormatFacts{ImageFormat::kJpeg, "image/jpeg", "jpg"},
    FormatFacts{ImageFormat::kPng, "image/png", "png"},
    FormatFacts{ImageFormat::kGif, "image/gif", "gif"},
    FormatFacts{ImageFormat::kWebp, "image/webp", "webp"},
};

const FormatFacts& facts_of(ImageFormat format) {
  return kFormats.at(static_cast<std::size_t>(format));
}

}  // namespace

std::optional<ImageFormat> sniff_image_format(ByteView head) {
  const auto text = as_text(head);
  if (text.starts_with("\xff\xd8\xff"sv)) return ImageFormat::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::kPng;
  if (text.starts_with("GIF87a"sv) || text.starts_with("GIF89a"sv)) return ImageFormat::kGif;
  if (text.size() >= 12 && text.starts_with("RIFF"sv) && text.substr(8, 4) == "WEBP"sv) {
    return ImageFormat::kWebp;
  }
  return std::nullopt;
}

std::string_view content_type_of(ImageFormat format) { return facts_of(format).content_type; }

std::string_view extension_of(ImageFormat format) { return facts_of(format).extension; }

std::optional<ImageFormat> image_format_of(std::string_view content_type) {
  for (const auto& facts : kFormats) {
    if (facts.content_type == content_type) return facts.format;
  }
  return std::nullopt;
}

}  // namespace thumb
