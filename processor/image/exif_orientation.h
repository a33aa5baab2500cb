// How the camera was held, from a file's EXIF block. ImageMagick 6 finds it in JPEG only; PNG and
// WebP carry it too. Pure.
#pragma once

#include "platform/bytes.h"
#include "schemas/image_format.h"

namespace thumb {

// EXIF orientation 1 to 8; 1 (upright) if there is none or it makes no sense.
[[nodiscard]] int exif_orientation(ByteView file, ImageFormat format);

}  // namespace thumb
