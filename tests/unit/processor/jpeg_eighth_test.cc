// Decoding a JPEG at an eighth, held against libjpeg: the same pixels, or nothing.
#include "processor/image/jpeg/jpeg_eighth.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <utility>

#include "processor/image/jpeg/jpeg_huffman.h"
#include "tests/support/image_samples.h"
#include "tests/support/jpeg_reference.h"

namespace thumb {
namespace {

using namespace testing;

// Both round once; the reference in floating point.
constexpr int kRounding = 1;

std::optional<RgbPicture> eighth(const std::string& file) {
  const auto head = plain_jpeg_head(as_bytes(file));
  return head ? jpeg_eighth(as_bytes(file), *head) : std::nullopt;
}

int largest_difference(const RgbPicture& a, const RgbPicture& b) {
  if (a.size != b.size || a.rgb.size() != b.rgb.size()) return 1'000;
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  }
  return largest;
}

void expect_as_reference(const std::string& file) {
  const auto expected = reference_eighth(file);
  const auto got = eighth(file);
  ASSERT_TRUE(expected);
  ASSERT_TRUE(got);
  EXPECT_LE(largest_difference(*got, *expected), kRounding);
}

TEST(JpegEighthTest, TakesEverySamplingThatCamerasUse) {
  for (const auto& [across, down] : {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}}) {
    SCOPED_TRACE(std::to_string(across) + "x" + std::to_string(down));
    expect_as_reference(
        encoded_jpeg({.size = {203, 117}, .luma_across = across, .luma_down = down}));
  }
}

TEST(JpegEighthTest, OddOnesAreNotTaken) {
  samples_ready();
  EXPECT_FALSE(eighth(encoded_jpeg({.size = {200, 100}, .luma_across = 4})));
  EXPECT_FALSE(eighth(encoded_jpeg({.size = {200, 100}, .progressive = true})));
  EXPECT_FALSE(eighth(encoded_jpeg({.size = {200, 100}, .arithmetic = true})));
  EXPECT_FALSE(eighth(gray_jpeg({200, 100})));
  EXPECT_FALSE(eighth(cmyk_jpeg({200, 100})));
  EXPECT_FALSE(eighth("no JPEG"));
  EXPECT_FALSE(eighth(""));
}

RC_GTEST_PROP(JpegEighthProperty, IsWhatLibjpegMakes, ()) {
  JpegSample sample;
  sample.size = {*rc::gen::inRange(1U, 400U), *rc::gen::inRange(1U, 400U)};
  sample.luma_across = *rc::gen::inRange(1, 3);
  sample.luma_down = *rc::gen::inRange(1, 3);
  sample.quality = *rc::gen::inRange(1, 101);
  sample.restart_interval = *rc::gen::element(0U, 1U, 3U, 50U);
  sample.own_codes = *rc::gen::arbitrary<bool>();
  sample.noise = *rc::gen::inRange(0, 256);
  sample.seed = *rc::gen::arbitrary<unsigned>();
  const std::string file = encoded_jpeg(sample);
  const auto expected = reference_eighth(file);
  const auto got = eighth(file);
  RC_ASSERT(expected.has_value());
  RC_ASSERT(got.has_value());
  RC_ASSERT(largest_difference(*got, *expected) <= kRounding);
}

// Never another picture than libjpeg's, and none where libjpeg warns.
RC_GTEST_PROP(JpegEighthProperty, ADamagedFileIsLibjpegsToJudge, ()) {
  JpegSample sample{.size = {*rc::gen::inRange(1U, 130U), *rc::gen::inRange(1U, 130U)}};
  sample.luma_across = *rc::gen::inRange(1, 3);
  sample.restart_interval = *rc::gen::element(0U, 2U);
  sample.own_codes = *rc::gen::arbitrary<bool>();
  sample.noise = *rc::gen::element(0, 200);
  const std::string whole = encoded_jpeg(sample);
  for (int turn = 0; turn < 40; ++turn) {
    std::string file = whole;
    for (int flip = *rc::gen::inRange(1, 4); flip > 0; --flip) {
      const auto at = *rc::gen::inRange<std::size_t>(2, file.size());
      file[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    }
    if (*rc::gen::arbitrary<bool>()) file.resize(*rc::gen::inRange<std::size_t>(2, file.size()));
    const auto got = eighth(file);
    if (!got) continue;
    const auto expected = reference_eighth(file);
    RC_ASSERT(expected.has_value());
    RC_ASSERT(largest_difference(*got, *expected) <= kRounding);
  }
}

TEST(JpegEighthTest, BlocksWithoutAnEndCodeDoNotRunIntoTheNext) {
  // Noise at full quality fills blocks to their last coefficient.
  expect_as_reference(encoded_jpeg({.size = {256, 256}, .quality = 100, .noise = 255}));
}

TEST(JpegEighthTest, WhatFollowsTheImageDoesNotMatter) {
  const std::string file = encoded_jpeg({.size = {100, 60}});
  expect_as_reference(file + "a film, as phones append it \xFF\xD8\xFF");
}

TEST(JpegEighthTest, ALostRestartIsOdd) {
  std::string file = encoded_jpeg({.size = {160, 160}, .restart_interval = 4});
  const auto at = file.find("\xFF\xD2");
  ASSERT_NE(at, std::string::npos);
  file.replace(at, 2, "\xFF\xD3");
  EXPECT_FALSE(eighth(file));
}

TEST(JpegEighthTest, TheProfileIsHandedOn) {
  samples_ready();
  const auto head = plain_jpeg_head(as_bytes(jpeg_with_swapped_primaries({64, 64}, kRed)));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->icc_profile.substr(36, 4), "acsp");  // ICC.1, 7.2.9
}

TEST(HuffmanCodesTest, CodesThatCantBeAreRefused) {
  HuffmanSpec all_ones;
  all_ones.codes_of_length[1] = 2;
  EXPECT_FALSE(HuffmanCodes::from(all_ones));
  HuffmanSpec too_many;
  too_many.codes_of_length[2] = 5;
  EXPECT_FALSE(HuffmanCodes::from(too_many));
  EXPECT_TRUE(HuffmanCodes::from(HuffmanSpec{}));
}

TEST(BitReaderTest, TellsWhenMoreWasDroppedThanThereWas) {
  std::vector<std::uint8_t> bytes = {0xA5, 0x0F};
  bytes.resize(bytes.size() + BitReader::kPadBytes);
  BitReader bits(bytes);
  bits.refill();
  EXPECT_EQ(bits.peek(8), 0xA5U);
  bits.drop(4);
  EXPECT_EQ(bits.peek(8), 0x50U);
  bits.drop(12);
  EXPECT_EQ(bits.left_bits(), 0);
  bits.drop(1);
  EXPECT_EQ(bits.left_bits(), -1);
}

}  // namespace
}  // namespace thumb
