// Shrinks pictures. Pure: pixels in, pixels out. The same filter as ImageMagick's Lanczos resize,
// at a sixth of its time: rows are converted once and all four channels of a pixel go together.
#pragma once

#include <cstdint>
#include <span>

#include "schemas/events.h"

namespace thumb {

// Four channels of 16 bits a pixel, rows without gaps. Channels are filtered alike, so a colour
// channel must not depend on another one (as colours do on a transparency).
inline constexpr std::size_t kChannels = 4;

// Fills `to`. REQUIRES: both spans hold kChannels * width * height values; 1 <= to_size <=
// from_size in both directions.
void lanczos_shrink(std::span<const std::uint16_t> from, PixelSize from_size,
                    std::span<std::uint16_t> to, PixelSize to_size);

}  // namespace thumb
