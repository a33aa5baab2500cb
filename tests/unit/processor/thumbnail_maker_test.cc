// The image engine, looked at pixel by pixel.
#include <gtest/gtest.h>

#include "platform/digest.h"
#include "processor/image/magick_thumbnail_maker.h"
#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using namespace testing;

constexpr int kJpegSlack = 14;  // what lossy compression may change in an even area
constexpr ImageFormat kAllFormats[] = {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kGif,
                                       ImageFormat::kWebp};

class ThumbnailMakerTest : public ::testing::Test {
 protected:
  Result<MadeThumbnails> make(const std::string& bytes) {
    return maker_.make(as_bytes(bytes), default_variants(), {});
  }
  MadeThumbnails made(const std::string& bytes) {
    auto result = make(bytes);
    EXPECT_TRUE(result) << result.error().code << " " << result.error().detail;
    return result.value_or(MadeThumbnails{{}, {MadeThumbnail{}}});
  }
  Pixels pixels(const std::string& bytes) { return Pixels::of(made(bytes).thumbnails.at(0).bytes); }

  MagickThumbnailMaker maker_{samples_ready(), [](std::uint64_t /*bytes*/) { return true; }};
};

void expect_quarters(const Pixels& pixels, const Quarters& expected, int slack) {
  for (int i = 0; i < 4; ++i) {
    const Rgba got = pixels.quarter(i);
    EXPECT_LE(distance(got, expected[static_cast<std::size_t>(i)]), slack)
        << "quarter " << i << ": " << got.r << "," << got.g << "," << got.b << "," << got.a;
  }
}

TEST_F(ThumbnailMakerTest, EveryFormatKeepsItsPicture) {
  for (const ImageFormat format : kAllFormats) {
    SCOPED_TRACE(extension_of(format));
    const auto result = made(quarters(format, {400, 200}));
    EXPECT_EQ(result.original_size, (PixelSize{400, 200}));
    ASSERT_EQ(result.thumbnails.size(), 1U);
    const auto& thumbnail = result.thumbnails[0];
    EXPECT_EQ(thumbnail.size, (PixelSize{100, 50}));
    EXPECT_EQ(thumbnail.sha256, sha256_hex(as_bytes(thumbnail.bytes)));
    const Pixels seen = Pixels::of(thumbnail.bytes);
    EXPECT_EQ(seen.size(), (PixelSize{100, 50}));
    expect_quarters(seen, kFourColours, kJpegSlack);
  }
}

TEST_F(ThumbnailMakerTest, OutputFormatFollowsTheSource) {
  const Quarters with_hole = {kRed, kGreen, kBlue, kClear};
  const auto format_of = [&](const std::string& bytes) { return made(bytes).thumbnails[0].format; };
  EXPECT_EQ(format_of(quarters(ImageFormat::kJpeg, {300, 300})), ImageFormat::kJpeg);
  EXPECT_EQ(format_of(quarters(ImageFormat::kPng, {300, 300})), ImageFormat::kPng);
  EXPECT_EQ(format_of(quarters(ImageFormat::kGif, {300, 300})), ImageFormat::kPng);
  EXPECT_EQ(format_of(quarters(ImageFormat::kWebp, {300, 300})), ImageFormat::kJpeg);
  EXPECT_EQ(format_of(quarters(ImageFormat::kWebp, {300, 300}, with_hole)), ImageFormat::kPng);
  EXPECT_EQ(Pixels::of(made(quarters(ImageFormat::kGif, {300, 300})).thumbnails[0].bytes).magick(),
            "PNG");
}

TEST_F(ThumbnailMakerTest, TransparencySurvives) {
  const Quarters with_hole = {kRed, kClear, kBlue, kYellow};
  for (const ImageFormat format : {ImageFormat::kPng, ImageFormat::kGif, ImageFormat::kWebp}) {
    SCOPED_TRACE(extension_of(format));
    const Pixels seen = pixels(quarters(format, {400, 400}, with_hole));
    EXPECT_LE(distance(seen.quarter(0), kRed), 4);
    EXPECT_EQ(seen.quarter(1).a, 0);
    EXPECT_EQ(seen.quarter(2).a, 255);
  }
}

TEST_F(ThumbnailMakerTest, EdgesToTransparencyHaveNoDarkFringe) {
  // An odd edge, so that thumbnail pixels straddle it; the clear part is black underneath.
  const Pixels seen =
      pixels(quarters(ImageFormat::kPng, {403, 403}, {kYellow, kClear, kYellow, kClear}));
  int straddling = 0;
  for (std::uint32_t x = 0; x < seen.size().width; ++x) {
    const Rgba pixel = seen.at(x, 50);
    if (pixel.a < 30) continue;
    if (pixel.a < 250) ++straddling;
    EXPECT_LE(distance({pixel.r, pixel.g, pixel.b}, kYellow), 10) << "x=" << x << " a=" << pixel.a;
  }
  EXPECT_GT(straddling, 0);
}

// What the four quarters of an upright picture look like in the file at each EXIF orientation.
Quarters stored_for(int orientation) {
  const Rgba a = kRed, b = kGreen, c = kBlue, d = kYellow;  // upright: a b / c d
  switch (orientation) {
    case 2:
      return {b, a, d, c};
    case 3:
      return {d, c, b, a};
    case 4:
      return {c, d, a, b};
    case 5:
      return {a, c, b, d};
    case 6:
      return {b, d, a, c};
    case 7:
      return {d, b, c, a};
    case 8:
      return {c, a, d, b};
    default:
      return {a, b, c, d};
  }
}

TEST_F(ThumbnailMakerTest, AllEightOrientationsComeOutUpright) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const PixelSize stored = orientation >= 5 ? PixelSize{200, 400} : PixelSize{400, 200};
    const std::string jpeg = jpeg_with_orientation(
        quarters(ImageFormat::kJpeg, stored, stored_for(orientation)), orientation);
    const auto result = made(jpeg);
    EXPECT_EQ(result.original_size, (PixelSize{400, 200}));
    const Pixels seen = Pixels::of(result.thumbnails[0].bytes);
    EXPECT_EQ(seen.size(), (PixelSize{100, 50}));
    expect_quarters(seen, kFourColours, kJpegSlack);
  }
}

TEST_F(ThumbnailMakerTest, OrientationOfPngAndWebpCountsToo) {
  const auto stored = [](ImageFormat format) {
    return quarters(format, {200, 400}, stored_for(6));
  };
  const std::string files[] = {
      png_with_chunk(stored(ImageFormat::kPng), "eXIf", exif_tiff(6)),
      webp_with_orientation(stored(ImageFormat::kWebp), {200, 400}, 6),
  };
  for (const auto& file : files) {
    const auto result = made(file);
    EXPECT_EQ(result.original_size, (PixelSize{400, 200}));
    expect_quarters(Pixels::of(result.thumbnails[0].bytes), kFourColours, kJpegSlack);
  }
}

TEST_F(ThumbnailMakerTest, AnImpossibleOrientationIsIgnored) {
  for (const int orientation : {0, 9, 255}) {
    const auto result =
        made(jpeg_with_orientation(quarters(ImageFormat::kJpeg, {400, 200}), orientation));
    EXPECT_EQ(result.original_size, (PixelSize{400, 200})) << orientation;
  }
}

TEST_F(ThumbnailMakerTest, ExtremeShapes) {
  for (const ImageFormat format : kAllFormats) {
    SCOPED_TRACE(extension_of(format));
    const auto size_of = [&](PixelSize size) {
      const auto result = made(quarters(format, size));
      EXPECT_EQ(result.original_size, size);
      EXPECT_EQ(Pixels::of(result.thumbnails[0].bytes).size(), result.thumbnails[0].size);
      return result.thumbnails[0].size;
    };
    EXPECT_EQ(size_of({1, 1}), (PixelSize{1, 1}));
    EXPECT_EQ(size_of({1, 10'000}), (PixelSize{1, 100}));
    EXPECT_EQ(size_of({10'000, 1}), (PixelSize{100, 1}));
    EXPECT_EQ(size_of({99, 100}), (PixelSize{99, 100}));
    EXPECT_EQ(size_of({101, 101}), (PixelSize{100, 100}));
  }
}

TEST_F(ThumbnailMakerTest, SeveralVariantsOfOneDecoding) {
  const std::vector<VariantSpec> variants = {
      {"small", 20, 20}, {"wide", 300, 30}, {"big", 999, 999}};
  for (const ImageFormat format : {ImageFormat::kJpeg, ImageFormat::kPng}) {
    const auto result = maker_.make(as_bytes(quarters(format, {600, 300})), variants, {});
    ASSERT_TRUE(result) << result.error().detail;
    ASSERT_EQ(result->thumbnails.size(), 3U);
    EXPECT_EQ(result->thumbnails[0].size, (PixelSize{20, 10}));
    EXPECT_EQ(result->thumbnails[1].size, (PixelSize{60, 30}));
    EXPECT_EQ(result->thumbnails[2].size, (PixelSize{600, 300}));
    for (const auto& one : result->thumbnails) {
      expect_quarters(Pixels::of(one.bytes), kFourColours, 2 * kJpegSlack);
    }
  }
}

TEST_F(ThumbnailMakerTest, NoMetadataIsLeft) {
  const std::string jpeg =
      made(jpeg_with_orientation(jpeg_with_swapped_primaries({300, 200}, kRed), 6))
          .thumbnails[0]
          .bytes;
  for (const char* marker : {"\xFF\xE1", "\xFF\xE2", "\xFF\xFE", "Exif", "ICC_PROFILE", "acsp"}) {
    EXPECT_EQ(jpeg.find(marker), std::string::npos) << marker;
  }
  std::string source = quarters(ImageFormat::kPng, {300, 200});
  source = png_with_chunk(source, "tEXt", std::string("Author\0Somebody", 15));
  source = png_with_chunk(source, "eXIf", exif_tiff(6));
  const std::string png = made(source).thumbnails[0].bytes;
  for (const char* chunk : {"tEXt", "zTXt", "iTXt", "eXIf", "iCCP", "tIME", "Somebody"}) {
    EXPECT_EQ(png.find(chunk), std::string::npos) << chunk;
  }
}

TEST_F(ThumbnailMakerTest, ColoursAreConvertedByTheEmbeddedProfile) {
  // In this profile the first channel is the primary that sRGB calls green. The larger one is
  // decoded at an eighth.
  for (const PixelSize size : {PixelSize{300, 200}, {1800, 1200}}) {
    const Rgba middle = pixels(jpeg_with_swapped_primaries(size, {230, 10, 10})).quarter(0);
    EXPECT_GT(middle.g, 200);
    EXPECT_LT(middle.r, 60);
  }
}

TEST_F(ThumbnailMakerTest, ADecodingAtAnEighthLooksLikeAWholeOne) {
  const auto picture = [&](ImageFormat format) { return pixels(noise(format, {2000, 1700})); };
  EXPECT_LT(picture(ImageFormat::kPng).mean_difference(picture(ImageFormat::kJpeg)), 12.0);
  const auto large =
      made(jpeg_with_orientation(quarters(ImageFormat::kJpeg, {1700, 3400}, stored_for(6)), 6));
  EXPECT_EQ(large.original_size, (PixelSize{3400, 1700}));
  expect_quarters(Pixels::of(large.thumbnails[0].bytes), kFourColours, kJpegSlack);
}

TEST_F(ThumbnailMakerTest, AnUnusableProfileIsIgnored) {
  const std::string png = png_with_chunk(quarters(ImageFormat::kPng, {300, 300}), "iCCP",
                                         std::string("junk\0\0not deflate at all", 24));
  expect_quarters(pixels(png), kFourColours, 4);
}

TEST_F(ThumbnailMakerTest, OtherColourModels) {
  expect_quarters(pixels(cmyk_jpeg({400, 400})), kFourColours, 20);
  expect_quarters(pixels(progressive_jpeg({400, 400})), kFourColours, kJpegSlack);
  expect_quarters(pixels(png_16_bit({400, 400})), kFourColours, 4);
  EXPECT_LE(distance(pixels(gray_jpeg({400, 400})).quarter(3), {90, 90, 90}), 4);
}

TEST_F(ThumbnailMakerTest, AnimationsGiveTheirFirstFrame) {
  for (const ImageFormat format : {ImageFormat::kGif, ImageFormat::kWebp}) {
    SCOPED_TRACE(extension_of(format));
    const auto result = made(animated(format, {300, 150}, kBlue, kRed));
    EXPECT_EQ(result.original_size, (PixelSize{300, 150}));
    EXPECT_LE(distance(Pixels::of(result.thumbnails[0].bytes).quarter(1), kBlue), kJpegSlack);
  }
}

TEST_F(ThumbnailMakerTest, AFrameSmallerThanItsCanvasStandsInItsPlace) {
  const auto result = made(gif_with_offset({400, 200}, {200, 100}, 200, 100, kGreen));
  EXPECT_EQ(result.original_size, (PixelSize{400, 200}));
  const Pixels seen = Pixels::of(result.thumbnails[0].bytes);
  EXPECT_EQ(seen.size(), (PixelSize{100, 50}));
  EXPECT_EQ(seen.quarter(0).a, 0);
  EXPECT_LE(distance(seen.quarter(3), kGreen), 4);
}

TEST_F(ThumbnailMakerTest, ScalingWhileDecodingLooksLikeScalingAfterwards) {
  // The same noise as JPEG (scaled by the decoder) and as PNG (decoded whole): close on average.
  const Pixels png = pixels(noise(ImageFormat::kPng, {800, 600}));
  const Pixels jpeg = pixels(noise(ImageFormat::kJpeg, {800, 600}));
  ASSERT_EQ(png.size(), jpeg.size());
  EXPECT_LT(png.mean_difference(jpeg), 12.0);
  EXPECT_GT(png.mean_difference(pixels(noise(ImageFormat::kPng, {800, 600}, 2))), 5.0);
}

}  // namespace
}  // namespace thumb
