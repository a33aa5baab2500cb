// The image formats that are taken, told by their magic bytes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "platform/bytes.h"

namespace thumb {

enum class ImageFormat : std::uint8_t { kJpeg, kPng, kGif, kWebp };

// By the first bytes (12 are enough); nothing if it is none of ours.
[[nodiscard]] std::optional<ImageFormat> sniff_image_format(ByteView head);

[[nodiscard]] std::string_view content_type_of(ImageFormat format);  // "image/jpeg"
[[nodiscard]] std::string_view extension_of(ImageFormat format);     // "jpg"
[[nodiscard]] std::optional<ImageFormat> image_format_of(std::string_view content_type);

}  // namespace thumb
