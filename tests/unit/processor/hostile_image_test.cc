// Images that are damaged, lie, or cost too much: an answer each time, never an end of the process.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "processor/image/magick_thumbnail_maker.h"
#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using namespace testing;

constexpr ImageFormat kAllFormats[] = {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kGif,
                                       ImageFormat::kWebp};

const std::set<std::string> kImageFaults = {"corrupt-image", "unsupported-format",
                                            "too-many-pixels", "decode-timeout", "out-of-memory"};

class HostileImageTest : public ::testing::Test {
 protected:
  Result<MadeThumbnails> make(const std::string& bytes, const MakeLimits& limits = {}) {
    return maker_.make(as_bytes(bytes), default_variants(), limits);
  }
  std::string code_of(const std::string& bytes, const MakeLimits& limits = {}) {
    const auto result = make(bytes, limits);
    if (result) return "made";
    EXPECT_EQ(result.error().retry, Retry::kNever);
    EXPECT_FALSE(result.error().message.empty());
    return result.error().code;
  }

  MagickThumbnailMaker maker_{samples_ready(), [](std::uint64_t /*bytes*/) { return true; }};
};

TEST_F(HostileImageTest, NotAnImage) {
  EXPECT_EQ(code_of(""), "unsupported-format");
  EXPECT_EQ(code_of("x"), "unsupported-format");
  EXPECT_EQ(code_of("just some text, sent as image/jpeg"), "unsupported-format");
  EXPECT_EQ(code_of("msl:/etc/passwd"), "unsupported-format");
  EXPECT_EQ(code_of("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "unsupported-format");
  EXPECT_EQ(code_of("%PDF-1.4"), "unsupported-format");
}

TEST_F(HostileImageTest, HeadsWithNothingBehind) {
  EXPECT_EQ(code_of("\xFF\xD8\xFF\xE0 and then text"), "corrupt-image");
  EXPECT_EQ(code_of("\x89PNG\r\n\x1A\n and then text"), "corrupt-image");
  EXPECT_EQ(code_of("GIF89a\x01\x01\x01\x01 and then text"), "corrupt-image");
  EXPECT_EQ(code_of(std::string("RIFF\x20\0\0\0WEBPVP8 and then text", 29)), "corrupt-image");
}

TEST_F(HostileImageTest, TooManyPixelsIsSaidWithoutDecoding) {
  EXPECT_EQ(code_of(png_claiming({60'000, 60'000})), "too-many-pixels");
  EXPECT_EQ(code_of(png_claiming({2'000'000'000, 1})), "too-many-pixels");
  EXPECT_EQ(code_of(quarters(ImageFormat::kJpeg, {200, 200}), {.max_pixels = 39'999}),
            "too-many-pixels");
  EXPECT_EQ(code_of(quarters(ImageFormat::kJpeg, {200, 200}), {.max_pixels = 40'000}), "made");
  EXPECT_EQ(code_of(gif_with_offset({60'000, 60'000}, {2, 2}, 0, 0, kRed)), "too-many-pixels");
}

TEST_F(HostileImageTest, AnImageThatTakesTooLong) {
  EXPECT_EQ(
      code_of(noise(ImageFormat::kPng, {600, 600}), {.max_time = std::chrono::milliseconds(0)}),
      "decode-timeout");
}

TEST_F(HostileImageTest, TruncatedFilesFailAtEveryCut) {
  for (const ImageFormat format : kAllFormats) {
    SCOPED_TRACE(extension_of(format));
    const std::string whole = noise(format, {160, 120});
    ASSERT_EQ(code_of(whole), "made");
    for (std::size_t part = 1; part < 40; ++part) {
      const std::size_t cut = whole.size() * part / 40;
      const std::string code = code_of(whole.substr(0, cut));
      EXPECT_EQ(code, "corrupt-image") << "cut at " << cut << " of " << whole.size();
    }
  }
}

TEST_F(HostileImageTest, AHalfUploadedPhotoIsNoThumbnail) {
  for (const std::string& whole :
       {noise(ImageFormat::kJpeg, {900, 700}), progressive_jpeg({900, 700})}) {
    EXPECT_EQ(code_of(whole.substr(0, whole.size() * 9 / 10)), "corrupt-image");
  }
}

TEST_F(HostileImageTest, RandomDamageGivesAPictureOrAStableCode) {
  std::mt19937 random(20'260'131);
  for (const ImageFormat format : kAllFormats) {
    SCOPED_TRACE(extension_of(format));
    const std::string whole = noise(format, {96, 64});
    for (int round = 0; round < 150; ++round) {
      std::string damaged = whole;
      const auto flips = 1 + random() % 8;
      for (unsigned i = 0; i < flips; ++i) {
        const std::size_t at = random() % (round % 2 == 0 ? damaged.size() : 200);
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
      }
      const std::string code = code_of(damaged, {.max_pixels = 4'000'000});
      EXPECT_TRUE(code == "made" || kImageFaults.contains(code)) << code;
    }
  }
}

TEST_F(HostileImageTest, OddButHarmlessFilesAreTaken) {
  EXPECT_EQ(code_of(png_with_chunk(quarters(ImageFormat::kPng, {50, 50}), "abCd", "whatever")),
            "made");
  EXPECT_EQ(code_of(quarters(ImageFormat::kJpeg, {50, 50}) + "trailing bytes"), "made");
  EXPECT_EQ(code_of(quarters(ImageFormat::kPng, {50, 50}) + "trailing bytes"), "made");
  const std::string jpeg = quarters(ImageFormat::kJpeg, {50, 50});
  const std::string bad_exif =
      std::string("\xFF\xE1\x00\x10", 4) + std::string("Exif\0\0junkjunk", 14);
  EXPECT_EQ(code_of(jpeg.substr(0, 2) + bad_exif + jpeg.substr(2)), "made");
}

TEST_F(HostileImageTest, ManyThreadsAtOnce) {
  const std::string good = noise(ImageFormat::kJpeg, {640, 480});
  const std::string bad = good.substr(0, good.size() / 2);
  std::atomic<int> made{0};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          if (make(good)) ++made;
          if (!make(bad)) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(made, 40);
  EXPECT_EQ(failed, 40);
}

TEST_F(HostileImageTest, AFiftyMegapixelImageIsStillMade) {
  // 8,000 x 6,250: one even colour compresses to little, but decodes to 400 MB of pixels.
  // The clock is not what this is about: a sanitizer on a busy machine takes a minute.
  EXPECT_EQ(
      code_of(quarters(ImageFormat::kPng, {8'000, 6'250}), {.max_time = std::chrono::minutes(5)}),
      "made");
}

}  // namespace
}  // namespace thumb
