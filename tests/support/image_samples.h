// Sample images for tests, made on the spot, and a look at the pixels of what comes out.
// REQUIRES: samples_ready() was called first; it starts ImageMagick once for the test binary.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "processor/image/magick_runtime.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb::testing {

struct Rgba {
  int r = 0;
  int g = 0;
  int b = 0;
  int a = 255;  // 255 = opaque
  friend bool operator==(const Rgba&, const Rgba&) = default;
};

inline constexpr Rgba kRed{220, 30, 30};
inline constexpr Rgba kGreen{30, 180, 40};
inline constexpr Rgba kBlue{30, 40, 210};
inline constexpr Rgba kYellow{230, 220, 40};
inline constexpr Rgba kClear{0, 0, 0, 0};

// The largest difference of a channel.
[[nodiscard]] int distance(const Rgba& a, const Rgba& b);

// The engine, as main starts it.
const MagickRuntime& samples_ready();

// Four quarters: top left, top right, bottom left, bottom right.
using Quarters = std::array<Rgba, 4>;
inline constexpr Quarters kFourColours = {kRed, kGreen, kBlue, kYellow};

[[nodiscard]] std::string quarters(ImageFormat format, PixelSize size,
                                   const Quarters& colours = kFourColours);
// Fine detail in every part, the same for the same seed.
[[nodiscard]] std::string noise(ImageFormat format, PixelSize size, unsigned seed = 1);

// Variations, each of `quarters`.
[[nodiscard]] std::string progressive_jpeg(PixelSize size);
[[nodiscard]] std::string cmyk_jpeg(PixelSize size);
[[nodiscard]] std::string gray_jpeg(PixelSize size);
[[nodiscard]] std::string png_16_bit(PixelSize size);
// A full canvas of `background`, then a second frame; only the first counts.
[[nodiscard]] std::string animated(ImageFormat format, PixelSize canvas, const Rgba& first,
                                   const Rgba& second);
// One frame of `colour` that covers `frame` pixels from (x, y) of a larger canvas.
[[nodiscard]] std::string gif_with_offset(PixelSize canvas, PixelSize frame, int x, int y,
                                          const Rgba& colour);
// JPEG of one colour whose numbers mean something else, for an ICC profile with red and green
// primaries swapped is embedded.
[[nodiscard]] std::string jpeg_with_swapped_primaries(PixelSize size, const Rgba& stored);

// An EXIF orientation put into an existing file.
[[nodiscard]] std::string jpeg_with_orientation(const std::string& jpeg, int orientation);
// `webp` is a plain file of one picture of this size; it becomes an extended one.
[[nodiscard]] std::string webp_with_orientation(const std::string& webp, PixelSize size,
                                                int orientation);
[[nodiscard]] std::string png_with_chunk(const std::string& png, const std::string& type,
                                         const std::string& data);
// A TIFF block that holds nothing but an orientation.
[[nodiscard]] std::string exif_tiff(int orientation);
// Signature, IHDR of this size, and no more than a little compressed data.
[[nodiscard]] std::string png_claiming(PixelSize size);

// A decoded image, by an independent path through the codec.
class Pixels {
 public:
  [[nodiscard]] static Pixels of(const std::string& bytes);
  [[nodiscard]] PixelSize size() const { return size_; }
  [[nodiscard]] const std::string& magick() const { return magick_; }
  [[nodiscard]] const Rgba& at(std::uint32_t x, std::uint32_t y) const {
    return pixels_.at(std::size_t{y} * size_.width + x);
  }
  // Of the middle of a quarter: 0..3 as in Quarters.
  [[nodiscard]] Rgba quarter(int index) const;
  // Mean difference per channel over all pixels. REQUIRES: equal sizes.
  [[nodiscard]] double mean_difference(const Pixels& other) const;

 private:
  PixelSize size_;
  std::string magick_;
  std::vector<Rgba> pixels_;
};

}  // namespace thumb::testing
