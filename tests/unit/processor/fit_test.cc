#include "processor/image/fit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace thumb {
namespace {

TEST(FitInside, KnownSizes) {
  EXPECT_EQ(fit_inside({4000, 3000}, {100, 100}), (PixelSize{100, 75}));
  EXPECT_EQ(fit_inside({1200, 1800}, {100, 100}), (PixelSize{67, 100}));
  EXPECT_EQ(fit_inside({1, 10000}, {100, 100}), (PixelSize{1, 100}));
  EXPECT_EQ(fit_inside({10000, 1}, {100, 100}), (PixelSize{100, 1}));
  EXPECT_EQ(fit_inside({60, 40}, {100, 100}), (PixelSize{60, 40}));
  EXPECT_EQ(fit_inside({101, 100}, {100, 100}), (PixelSize{100, 99}));
  EXPECT_EQ(fit_inside({4294967295U, 4294967295U}, {100, 50}), (PixelSize{50, 50}));
  EXPECT_EQ(fit_inside({500, 500}, {0, 0}), (PixelSize{1, 1}));
}

TEST(Orientation, QuarterTurnsSwapSides) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(swaps_sides(orientation), orientation >= 5) << orientation;
  }
  EXPECT_EQ(oriented({30, 20}, 6), (PixelSize{20, 30}));
  EXPECT_EQ(oriented({30, 20}, 3), (PixelSize{30, 20}));
}

PixelSize arbitrary_size() {
  return {*rc::gen::inRange<std::uint32_t>(1, 65'536), *rc::gen::inRange<std::uint32_t>(1, 65'536)};
}

RC_GTEST_PROP(FitInside, StaysInsideAndNeverEnlarges, ()) {
  const PixelSize image = arbitrary_size();
  const PixelSize box = arbitrary_size();
  const PixelSize fitted = fit_inside(image, box);
  RC_ASSERT(fitted.width >= 1U && fitted.height >= 1U);
  RC_ASSERT(fitted.width <= box.width && fitted.height <= box.height);
  RC_ASSERT(fitted.width <= image.width && fitted.height <= image.height);
}

RC_GTEST_PROP(FitInside, FillsTheBoxOnOneSideAndKeepsTheAspect, ()) {
  const PixelSize image = arbitrary_size();
  const PixelSize box = arbitrary_size();
  RC_PRE(image.width > box.width || image.height > box.height);
  const PixelSize fitted = fit_inside(image, box);
  RC_ASSERT(fitted.width == box.width || fitted.height == box.height);
  const bool width_binds = fitted.width == box.width;
  const double exact = width_binds ? 1.0 * image.height * fitted.width / image.width
                                   : 1.0 * image.width * fitted.height / image.height;
  const double got = width_binds ? fitted.height : fitted.width;
  RC_ASSERT(got == 1.0 || std::abs(got - exact) <= 0.5);
}

RC_GTEST_PROP(DecodeSize, LiesBetweenTargetAndImage, ()) {
  const PixelSize image = arbitrary_size();
  const PixelSize target = fit_inside(image, arbitrary_size());
  const PixelSize decode = decode_size_for(image, target);
  RC_ASSERT(decode.width >= target.width && decode.height >= target.height);
  RC_ASSERT(decode.width <= image.width && decode.height <= image.height);
}

}  // namespace
}  // namespace thumb
