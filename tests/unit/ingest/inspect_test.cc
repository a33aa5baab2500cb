// The header inspection, on files of real encoders, on what can be done to them, and on noise.
#include "ingest/inspect.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "platform/file_io.h"

namespace thumb::ingest {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kPlenty = 50'000'000;

std::string sample(const std::string& name) {
  return read_file(std::string(THUMB_SOURCE_DIR) + "/tests/unit/ingest/data/" + name).value();
}

const std::map<std::string, ImageHead>& samples() {
  static const std::map<std::string, ImageHead> kHeads = {
      {"baseline.jpg", {ImageFormat::kJpeg, {48, 32}}},
      {"progressive.jpg", {ImageFormat::kJpeg, {48, 32}}},
      {"gray.jpg", {ImageFormat::kJpeg, {48, 32}}},
      {"exif.jpg", {ImageFormat::kJpeg, {48, 32}}},
      {"rgb.png", {ImageFormat::kPng, {20, 10}}},
      {"alpha.png", {ImageFormat::kPng, {20, 10}}},
      {"palette.png", {ImageFormat::kPng, {20, 10}}},
      {"apng.png", {ImageFormat::kPng, {16, 12}}},
      {"still.gif", {ImageFormat::kGif, {16, 12}}},
      {"animated.gif", {ImageFormat::kGif, {16, 12}}},
      {"lossy.webp", {ImageFormat::kWebp, {48, 32}}},
      {"lossless.webp", {ImageFormat::kWebp, {48, 32}}},
      {"alpha.webp", {ImageFormat::kWebp, {20, 10}}},
      {"animated.webp", {ImageFormat::kWebp, {16, 12}}},
  };
  return kHeads;
}

std::string code_of(const std::string& bytes, std::uint64_t max_pixels = kPlenty) {
  const auto head = inspect_image(as_bytes(bytes), max_pixels);
  return head ? "ok" : head.error().code;
}

std::string png_header(std::uint32_t width, std::uint32_t height) {
  std::string png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s;
  for (const auto side : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      png.push_back(static_cast<char>(side >> static_cast<unsigned>(shift)));
    }
  }
  return png + "\x08\x02\0\0\0????"s;
}

TEST(Inspect, TellsFormatAndSizeOfRealFiles) {
  for (const auto& [name, head] : samples()) {
    const auto found = inspect_image(as_bytes(sample(name)), kPlenty);
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    EXPECT_EQ(*found, head) << name;
  }
}

// Each of these files ends with the last byte its format needs, so every shorter one is cut off.
TEST(Inspect, NoStrictPrefixOfAFilePasses) {
  for (const auto& [name, head] : samples()) {
    const auto whole = sample(name);
    for (std::size_t length = 12; length < whole.size(); ++length) {
      ASSERT_EQ(code_of(whole.substr(0, length)), "truncated-image")
          << name << " cut to " << length;
    }
  }
}

TEST(Inspect, TakesWhatFollowsTheEnd) {
  for (const auto& [name, head] : samples()) {
    EXPECT_EQ(code_of(sample(name) + "trailing bytes of a camera"), "ok") << name;
  }
}

TEST(Inspect, RefusesWhatIsNoImage) {
  EXPECT_EQ(code_of(""), "empty-body");
  for (const auto& bytes : {"x"s, "hello, world"s, "<html><body>hi</body></html>"s, "{\"url\":1}"s,
                            "\xff"s, "\xff\xd8"s, "\x89PNG"s, "RIFF\0\0\0\0WAVE"s, "BM123456"s}) {
    EXPECT_EQ(code_of(bytes), "unsupported-image-type") << bytes;
  }
}

TEST(Inspect, NamesTheLimitOfPixels) {
  const auto head = inspect_image(as_bytes(png_header(60'000, 60'000)), kPlenty);
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::kLimit);
  EXPECT_EQ(head.error().code, "too-many-pixels");
  EXPECT_NE(head.error().message.find("60000 x 60000 = 3600000000"), std::string::npos);
  EXPECT_NE(head.error().message.find("50000000"), std::string::npos);
}

TEST(Inspect, LimitOfPixelsIsInclusive) {
  for (const auto& [name, head] : samples()) {
    const auto pixels = std::uint64_t{head.size.width} * head.size.height;
    EXPECT_EQ(code_of(sample(name), pixels), "ok") << name;
    EXPECT_EQ(code_of(sample(name), pixels - 1), "too-many-pixels") << name;
  }
}

TEST(Inspect, TooManyPixelsIsToldBeforeATruncation) {
  for (const auto& [name, head] : samples()) {
    const auto whole = sample(name);
    const auto cut = whole.substr(0, whole.size() - 1);
    EXPECT_EQ(code_of(cut, 10), "too-many-pixels") << name;
  }
  EXPECT_EQ(code_of(png_header(60'000, 60'000).substr(0, 24)), "too-many-pixels");
}

TEST(Inspect, RefusesImpossibleHeads) {
  EXPECT_EQ(code_of(png_header(0, 10)), "malformed-image");
  EXPECT_EQ(code_of(png_header(10, 0)), "malformed-image");
  EXPECT_EQ(code_of(png_header(0x80000000U, 1)), "malformed-image");
  EXPECT_EQ(code_of("\x89PNG\r\n\x1a\n\0\0\0\rIDAT0123456789abcdef"s), "malformed-image");
  EXPECT_EQ(code_of(png_header(1, 1) + "\0\0\0\0IEND????"s), "malformed-image");  // no data
  EXPECT_EQ(code_of(png_header(1, 1) + "\xff\xff\xff\xffIDAT"s), "malformed-image");
  EXPECT_EQ(code_of(png_header(1, 1) + "\0\0\0\0\1\2\3\4????"s), "malformed-image");
  EXPECT_EQ(code_of("\xff\xd8\xff\xd9"s), "malformed-image");
  EXPECT_EQ(code_of("\xff\xd8\xff\xe0\0\1"s), "malformed-image");
  EXPECT_EQ(code_of("\xff\xd8\xff\xda\0\3x\xff\xd9"s), "malformed-image");  // scan, no frame
  EXPECT_EQ(code_of("\xff\xd8\xff\xc0\0\xb\x8\0\0\0\1\1\1\x11\0"s), "malformed-image");  // height 0
  EXPECT_EQ(code_of("GIF89a\1\0\1\0\0\0\0;"s), "malformed-image");  // trailer, no image
  EXPECT_EQ(code_of("GIF89a\1\0\1\0\0\0\0?..."s), "malformed-image");
  EXPECT_EQ(code_of("RIFF\x0c\0\0\0WEBPJUNK\0\0\0\0"s), "malformed-image");
}

TEST(Inspect, ChecksEveryFrameOfAGif) {
  // A screen of 1x1, then a frame of 65535x65535.
  const auto gif = "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\1x\0;"s;
  EXPECT_EQ(code_of(gif), "too-many-pixels");
}

TEST(Inspect, TakesTheFrameOfAGifWithoutAScreen) {
  const auto gif = "GIF89a\0\0\0\0\0\0\0,\0\0\0\0\3\0\2\0\0\2\1x\0;"s;
  const auto head = inspect_image(as_bytes(gif), kPlenty);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, (PixelSize{3, 2}));
}

// An embedded preview has markers of its own; only walking by lengths gets past it.
TEST(Inspect, IsNotFooledByAJpegInsideASegment) {
  const auto jpeg = sample("baseline.jpg");
  const auto preview = sample("gray.jpg");
  const auto length = preview.size() + 2;
  const auto segment =
      "\xff\xe1"s + static_cast<char>(length >> 8U) + static_cast<char>(length) + preview;
  const auto with_preview = jpeg.substr(0, 2) + segment + jpeg.substr(2);
  EXPECT_EQ(code_of(with_preview), "ok");
  EXPECT_EQ(code_of(with_preview.substr(0, with_preview.size() - 2)), "truncated-image");
}

RC_GTEST_PROP(InspectProperty, AnyBytesBehindAnyMagicGetAnAnswer, ()) {
  const auto magic = *rc::gen::element(
      ""s, "\xff\xd8\xff"s, "\xff\xd8\xff\xc0\0\x11\x8\0\x10\0\x10\3"s, png_header(3, 3), "GIF89a"s,
      "GIF87a\2\0\2\0\0\0\0"s, "RIFF\xff\0\0\0WEBPVP8X"s, "RIFF\x20\0\0\0WEBPVP8 "s);
  const auto rest = *rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::arbitrary<char>(), rc::gen::element('\xff', '\0', '\xda', '\xd9', ',', '!', ';')));
  const auto head = inspect_image(as_bytes(magic + rest), kPlenty);
  if (head) {
    RC_ASSERT(head->size.width > 0U);
    RC_ASSERT(head->size.height > 0U);
    RC_ASSERT(std::uint64_t{head->size.width} * head->size.height <= kPlenty);
  } else {
    RC_ASSERT(head.error().retry == Retry::kNever);
    RC_ASSERT(!head.error().message.empty());
  }
}

RC_GTEST_PROP(InspectProperty, DamagedFilesGetAnAnswer, ()) {
  auto names = std::vector<std::string>();
  for (const auto& [name, head] : samples()) names.push_back(name);
  auto bytes = sample(*rc::gen::elementOf(names));
  const auto damages = *rc::gen::inRange(1, 8);
  for (int i = 0; i < damages; ++i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  const auto head = inspect_image(as_bytes(bytes), kPlenty);
  if (!head) RC_ASSERT(!head.error().code.empty());
}

}  // namespace
}  // namespace thumb::ingest
