#include "processor/image/fit.h"

#include <algorithm>

namespace thumb {
namespace {

// round(a * b / c), at least 1.
std::uint32_t scaled(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (a * b + c / 2) / c));
}

}  // namespace

PixelSize fit_inside(PixelSize image, PixelSize box) {
  image = {std::max(1U, image.width), std::max(1U, image.height)};
  box = {std::max(1U, box.width), std::max(1U, box.height)};
  if (image.width <= box.width && image.height <= box.height) return image;
  const std::uint64_t width = image.width;
  const std::uint64_t height = image.height;
  const bool width_binds = width * box.height >= height * box.width;
  if (width_binds) return {box.width, scaled(height, box.width, width)};
  return {scaled(width, box.height, height), box.height};
}

bool swaps_sides(int exif_orientation) { return exif_orientation >= 5 && exif_orientation <= 8; }

PixelSize oriented(PixelSize size, int exif_orientation) {
  if (!swaps_sides(exif_orientation)) return size;
  return {size.height, size.width};
}

PixelSize decode_size_for(PixelSize image, PixelSize target) {
  const auto twice = [](std::uint32_t wanted, std::uint32_t available) {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{wanted} * 2, available));
  };
  return {twice(target.width, image.width), twice(target.height, image.height)};
}

}  // namespace thumb
