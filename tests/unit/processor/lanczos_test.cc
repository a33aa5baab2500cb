// The shrinking filter, against ImageMagick's and against what must hold of any.
#include "processor/image/lanczos.h"

#include <Magick++.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using Values = std::vector<std::uint16_t>;

std::size_t values_of(PixelSize size) { return kChannels * size.width * size.height; }

Values shrunk(const Values& from, PixelSize from_size, PixelSize to_size) {
  Values to(values_of(to_size));
  lanczos_shrink(from, from_size, to, to_size);
  return to;
}

Values random_values(PixelSize size) {
  std::mt19937 random(7);
  Values values(values_of(size));
  std::ranges::generate(values, [&] { return static_cast<std::uint16_t>(random()); });
  return values;
}

TEST(Lanczos, AnEvenAreaStaysAsItIs) {
  constexpr std::uint16_t kEven[] = {0, 1, 30'000, 65'535};
  const PixelSize sizes[] = {{1, 1}, {7, 3}, {150, 225}, {1, 500}};
  for (const PixelSize size : sizes) {
    for (const PixelSize to : {PixelSize{1, 1}, PixelSize{1, std::min(size.height, 99U)}, size}) {
      for (const std::uint16_t value : kEven) {
        const Values even(values_of(size), value);
        EXPECT_EQ(shrunk(even, size, to), Values(values_of(to), value))
            << size.width << " " << value;
      }
    }
  }
}

TEST(Lanczos, TheSameSizeIsTheSamePicture) {
  const Values picture = random_values({31, 17});
  EXPECT_EQ(shrunk(picture, {31, 17}, {31, 17}), picture);
}

TEST(Lanczos, ChannelsDoNotMix) {
  Values picture(values_of({40, 40}), 0);
  for (std::size_t i = 2; i < picture.size(); i += kChannels) picture[i] = 50'000;
  const Values result = shrunk(picture, {40, 40}, {9, 9});
  for (std::size_t i = 0; i < result.size(); ++i) EXPECT_EQ(result[i], i % 4 == 2 ? 50'000 : 0);
}

TEST(Lanczos, AgreesWithImageMagick) {
  testing::samples_ready();
  const PixelSize from{150, 225};
  for (const PixelSize to : {PixelSize{67, 100}, PixelSize{149, 224}, PixelSize{3, 5}}) {
    const Values picture = random_values(from);
    Magick::Image image(from.width, from.height, "BGRO", MagickCore::ShortPixel, picture.data());
    image.matte(false);
    image.filterType(Magick::LanczosFilter);
    Magick::Geometry geometry(to.width, to.height);
    geometry.aspect(true);
    image.resize(geometry);
    Values theirs(values_of(to));
    image.write(0, 0, to.width, to.height, "BGRO", MagickCore::ShortPixel, theirs.data());
    const Values ours = shrunk(picture, from, to);
    double difference = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (i % kChannels != 3) difference += std::abs(int{ours[i]} - int{theirs[i]});
    }
    EXPECT_LT(difference / static_cast<double>(ours.size()), 0.002 * 65'535) << to.width;
  }
}

}  // namespace
}  // namespace thumb
