// Geometry of thumbnails: into which size an image is fitted, and how small it may be decoded.
// Pure.
#pragma once

#include <cstdint>

#include "schemas/events.h"

namespace thumb {

// The largest size within `box` that has the aspect of `image`, rounded to whole pixels; never
// larger than the image, never below one pixel. A box side of 0 counts as 1.
[[nodiscard]] PixelSize fit_inside(PixelSize image, PixelSize box);

// EXIF orientations 5 to 8 turn the image by a quarter, so that width and height change places.
[[nodiscard]] bool swaps_sides(int exif_orientation);
[[nodiscard]] PixelSize oriented(PixelSize size, int exif_orientation);

// The smallest size that a decoder may scale to while it decodes, so that a resize to `target`
// afterwards loses nothing one can see: twice the target, at most the image itself.
[[nodiscard]] PixelSize decode_size_for(PixelSize image, PixelSize target);

[[nodiscard]] constexpr std::uint64_t pixels_of(PixelSize size) {
  return std::uint64_t{size.width} * size.height;
}

}  // namespace thumb
