// Decodes a JPEG at an eighth of its size: a pixel for each block of 8x8. That needs the mean of a
// block only (its DC coefficient), so most of the file is skipped, not decoded, where libjpeg reads
// every coefficient one by one at 1/8 too (docs/adr/0004-jpegs-at-an-eighth.md). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/bytes.h"
#include "processor/image/jpeg/jpeg_head.h"
#include "schemas/events.h"

namespace thumb {

struct RgbPicture {
  PixelSize size;
  std::vector<std::uint8_t> rgb;  // rows without gaps, 3 bytes a pixel
};

// ceil(width / 8) x ceil(height / 8), in the file's own colours (its profile is not applied).
// Colours that are stored at half the resolution are not interpolated. Nothing if anything in the
// scan is odd: whether that is damage, libjpeg decides.
// REQUIRES: `head` is of `file`.
[[nodiscard]] std::optional<RgbPicture> jpeg_eighth(ByteView file, const JpegHead& head);

}  // namespace thumb
