// What happens to a decoded picture, one step each, in the order of this file. They throw what
// Magick++ throws; magick_thumbnail_maker.cc catches it.
#pragma once

#include <Magick++.h>

#include <string>

#include "platform/bytes.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb {

// A resized copy. Colours are weighed by their alpha, so edges get no dark fringe.
[[nodiscard]] Magick::Image resized(const Magick::Image& source, PixelSize size);

// Turns and mirrors as EXIF says (1 to 8).
void apply_orientation(Magick::Image& image, int exif_orientation);

// To sRGB (or gray): by the embedded ICC profile if it makes sense, else by the colour model.
void convert_to_srgb(Magick::Image& image, ByteView srgb_profile);

// What a thumbnail of this picture is stored as. A photo stays a JPEG; transparency needs PNG.
[[nodiscard]] ImageFormat output_format(const Magick::Image& image, ImageFormat source_format);

// Without any metadata: no EXIF, XMP, ICC, comment, date.
[[nodiscard]] std::string encoded(Magick::Image& image, ImageFormat format);

}  // namespace thumb
