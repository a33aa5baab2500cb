// What stands before the pixels of a plain JPEG, read by libjpeg: enough to decode it at an eighth
// of its size (jpeg_eighth.h). "Plain" is what cameras and phones write; whatever else there may be
// (progressive, CMYK, several scans, a warning) is for ImageMagick, which also judges damage.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "platform/bytes.h"
#include "schemas/events.h"

namespace thumb {

// As in the file (T.81, B.2.4.2).
struct HuffmanSpec {
  std::array<std::uint8_t, 17> codes_of_length{};  // [1] to [16]; [0] unused
  std::array<std::uint8_t, 256> symbols{};         // in the order of their codes
};

struct JpegComponent {
  std::uint32_t across = 1;  // blocks in an MCU
  std::uint32_t down = 1;
  std::array<std::uint16_t, 64> quantizers{};  // row by row, not in zigzag order
  HuffmanSpec dc;
  HuffmanSpec ac;
};

// Y, Cb and Cr of 8 bits, baseline or extended sequential, Huffman-coded, in one scan.
struct JpegHead {
  PixelSize size;                           // orientation not applied
  std::array<JpegComponent, 3> components;  // Y, Cb, Cr
  std::uint32_t restart_interval = 0;       // in MCUs; 0: none
  std::string icc_profile;                  // empty if there is none
  std::size_t scan_at = 0;                  // where the entropy-coded bytes begin in the file
};

// Nothing if the file is not plain, or libjpeg has anything to say against its head. Pure.
[[nodiscard]] std::optional<JpegHead> plain_jpeg_head(ByteView file);

}  // namespace thumb
