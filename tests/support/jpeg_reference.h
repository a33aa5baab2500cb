// JPEGs of every kind, written by libjpeg, and what libjpeg finds in one: the reference for the
// decoder at an eighth.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "processor/image/jpeg/jpeg_eighth.h"
#include "schemas/events.h"

namespace thumb::testing {

struct JpegSample {
  PixelSize size;
  int luma_across = 2;  // sampling factors; colours have 1
  int luma_down = 2;
  int quality = 80;
  unsigned restart_interval = 0;  // in MCUs
  bool own_codes = false;         // Huffman codes made for this picture
  bool progressive = false;
  bool arithmetic = false;
  int noise = 40;  // 0 to 255, over a gradient
  unsigned seed = 1;
};

[[nodiscard]] std::string encoded_jpeg(const JpegSample& sample);

// A pixel for each block, made from the DC coefficients that libjpeg decodes; nothing if it fails
// or warns of anything but bytes too many.
[[nodiscard]] std::optional<RgbPicture> reference_eighth(const std::string& file);

}  // namespace thumb::testing
