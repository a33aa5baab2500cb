#include "processor/image/lanczos.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace thumb {
namespace {

constexpr double kLobes = 3;

// A pixel in one register (GCC and Clang): its channels are multiplied and added together.
using Pixel __attribute__((vector_size(kChannels * sizeof(float)))) = float;

double sinc(double x) {
  if (x == 0) return 1;
  return std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

double lanczos(double x) { return std::abs(x) < kLobes ? sinc(x) * sinc(x / kLobes) : 0; }

// What one pixel of the result takes from a run of the source's.
struct Taps {
  std::size_t first = 0;
  std::vector<float> weights;  // their sum is 1
};

std::vector<Taps> taps_for(std::size_t from, std::size_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> all(to);
  for (std::size_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const double reach = kLobes * scale;
    Taps& taps = all[i];
    taps.first = static_cast<std::size_t>(std::max(0.0, std::floor(centre - reach)));
    const auto end = std::min(from, static_cast<std::size_t>(std::ceil(centre + reach)));
    double sum = 0;
    for (std::size_t at = taps.first; at < end; ++at) {
      const double weight = lanczos((static_cast<double>(at) + 0.5 - centre) / scale);
      taps.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : taps.weights) weight /= static_cast<float>(sum);
  }
  return all;
}

// The weighted sum of pixels that lie `stride` apart.
Pixel weighted(const Taps& taps, const Pixel* line, std::size_t stride) {
  Pixel sum = {};
  const Pixel* at = line + taps.first * stride;
  for (const float weight : taps.weights) {
    sum += *at * weight;
    at += stride;
  }
  return sum;
}

// Adds before it cuts off: lround() is a call for each channel.
void store(Pixel pixel, std::uint16_t* to) {
  constexpr float kHalf = 0.5F;
  pixel += kHalf;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    to[channel] = static_cast<std::uint16_t>(std::clamp(pixel[channel], 0.0F, 65'535.0F));
  }
}

}  // namespace

void lanczos_shrink(std::span<const std::uint16_t> from, PixelSize from_size,
                    std::span<std::uint16_t> to, PixelSize to_size) {
  const auto across = taps_for(from_size.width, to_size.width);
  const auto down = taps_for(from_size.height, to_size.height);
  std::vector<Pixel> line(from_size.width);
  std::vector<Pixel> narrow(std::size_t{to_size.width} * from_size.height);
  const std::uint16_t* in = from.data();
  Pixel* narrowed = narrow.data();
  for (std::uint32_t y = 0; y < from_size.height; ++y) {
    for (Pixel& pixel : line) {
      pixel = Pixel{static_cast<float>(in[0]), static_cast<float>(in[1]), static_cast<float>(in[2]),
                    static_cast<float>(in[3])};
      in += kChannels;
    }
    for (const Taps& taps : across) *narrowed++ = weighted(taps, line.data(), 1);
  }
  std::uint16_t* out = to.data();
  for (const Taps& taps : down) {
    for (std::uint32_t x = 0; x < to_size.width; ++x) {
      store(weighted(taps, narrow.data() + x, to_size.width), out);
      out += kChannels;
    }
  }
}

}  // namespace thumb
