#include "processor/image/claimed_size.h"

#include <gtest/gtest.h>

#include "tests/support/image_samples.h"
#include "tests/support/rapidcheck_gtest.h"

namespace thumb {
namespace {

using namespace testing;

constexpr ImageFormat kAllFormats[] = {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kGif,
                                       ImageFormat::kWebp};

std::optional<PixelSize> size_of(const std::string& bytes) {
  return claimed_size(as_bytes(bytes), *sniff_image_format(as_bytes(bytes)));
}

TEST(ClaimedSize, OfEveryFormat) {
  samples_ready();
  const PixelSize size{301, 203};
  for (const ImageFormat format : kAllFormats) {
    EXPECT_EQ(size_of(noise(format, size)), size) << extension_of(format);
    EXPECT_EQ(size_of(quarters(format, size, {kRed, kClear, kBlue, kRed})), size);
  }
  EXPECT_EQ(size_of(progressive_jpeg(size)), size);
  EXPECT_EQ(size_of(jpeg_with_orientation(progressive_jpeg(size), 6)), size);
  EXPECT_EQ(size_of(animated(ImageFormat::kWebp, size, kRed, kBlue)), size);
  EXPECT_EQ(size_of(gif_with_offset(size, {2, 2}, 5, 5, kRed)), size);
}

TEST(ClaimedSize, IsNotGuessedFromHalfAHead) {
  samples_ready();
  for (const ImageFormat format : kAllFormats) {
    const std::string whole = noise(format, {64, 48});
    std::size_t known_from = whole.size();
    for (std::size_t length = 12; length < whole.size(); ++length) {
      const auto size = claimed_size(as_bytes(whole.substr(0, length)), format);
      EXPECT_EQ(size.value_or(PixelSize{64, 48}), (PixelSize{64, 48}));
      if (size) known_from = std::min(known_from, length);
      EXPECT_EQ(size.has_value(), length >= known_from) << length;
    }
    EXPECT_LT(known_from, whole.size());
  }
}

TEST(ClaimedSize, AnyBytesAreSurvived) {
  check_property([](const std::string& junk) {
    for (const ImageFormat format : kAllFormats) {
      const auto size = claimed_size(as_bytes("\xFF\xD8\xFF" + junk), format);
      RC_ASSERT(!size || size->width < 1U << 25U || format == ImageFormat::kPng);
    }
  });
}

}  // namespace
}  // namespace thumb
