// Tells the formats apart and holds the wording of what they refuse.
#include "ingest/inspect.h"

#include <fmt/format.h>

#include "ingest/inspect_formats.h"

namespace thumb::ingest {

namespace formats {

Failure truncated(std::string_view format, std::string_view missing) {
  return fail(ErrorKind::kInvalid, "truncated-image",
              fmt::format("The {} file is cut off: it ends before {}.", format, missing));
}

Failure malformed(std::string_view format, std::string_view why) {
  return fail(ErrorKind::kInvalid, "malformed-image",
              fmt::format("The file starts like a {} but is none: {}.", format, why));
}

Result<void> check_size(std::string_view format, PixelSize size, std::uint64_t max_pixels) {
  if (size.width == 0 || size.height == 0) return malformed(format, "its size is zero");
  const auto pixels = std::uint64_t{size.width} * size.height;
  if (pixels <= max_pixels) return {};
  return fail(ErrorKind::kLimit, "too-many-pixels",
              fmt::format("The image is {} x {} = {} pixels by its header; the limit is {} pixels.",
                          size.width, size.height, pixels, max_pixels));
}

namespace {

Result<PixelSize> inspect_as(ImageFormat format, ByteView bytes, std::uint64_t max_pixels) {
  switch (format) {
    case ImageFormat::kJpeg:
      return inspect_jpeg(bytes, max_pixels);
    case ImageFormat::kPng:
      return inspect_png(bytes, max_pixels);
    case ImageFormat::kGif:
      return inspect_gif(bytes, max_pixels);
    case ImageFormat::kWebp:
      return inspect_webp(bytes, max_pixels);
  }
  return malformed("image", "its format is unknown");
}

}  // namespace
}  // namespace formats

Result<ImageHead> inspect_image(ByteView bytes, std::uint64_t max_pixels) {
  if (bytes.empty()) {
    return fail(ErrorKind::kInvalid, "empty-body", "There are no bytes; send those of an image.");
  }
  const auto format = sniff_image_format(bytes);
  if (!format) {
    return fail(ErrorKind::kUnsupported, "unsupported-image-type",
                "The bytes are not those of a JPEG, PNG, GIF or WebP image.");
  }
  return formats::inspect_as(*format, bytes, max_pixels).map([&](PixelSize size) {
    return ImageHead{*format, size};
  });
}

}  // namespace thumb::ingest
