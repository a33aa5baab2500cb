#include "processor/image/png_chunks.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using namespace testing;

std::string sample() {
  samples_ready();
  return quarters(ImageFormat::kPng, {8, 8});
}

TEST(PngTexts, AFileWithoutTextsIsNotCopied) {
  const std::string plain = png_without_texts(as_bytes(sample())).value_or(sample());
  EXPECT_EQ(png_without_texts(as_bytes(plain)), std::nullopt);
}

TEST(PngTexts, TextChunksGoAndAllElseStays) {
  const std::string plain = png_without_texts(as_bytes(sample())).value_or(sample());
  std::string decorated = plain;
  for (const char* type : {"tEXt", "zTXt", "iTXt"}) {
    decorated = png_with_chunk(decorated, type, "Comment");
  }
  decorated = png_with_chunk(decorated, "pHYs", std::string(9, '\1'));
  const auto cleaned = png_without_texts(as_bytes(decorated));
  ASSERT_TRUE(cleaned);
  EXPECT_EQ(*cleaned, png_with_chunk(plain, "pHYs", std::string(9, '\1')));
}

TEST(PngTexts, ACutTextChunkIsLeftToTheDecoder) {
  const std::string decorated = png_with_chunk(sample().substr(0, 33), "tEXt", "Comment");
  const std::string cut = decorated.substr(0, decorated.size() - 6);
  EXPECT_EQ(png_without_texts(as_bytes(cut)), std::nullopt);
}

TEST(PngClaimedSize, IsWhatTheHeaderSays) {
  EXPECT_EQ(png_claimed_size(as_bytes(png_claiming({60'000, 7}))), (PixelSize{60'000, 7}));
  EXPECT_EQ(png_claimed_size(as_bytes(png_claiming({1, 1}).substr(0, 20))), std::nullopt);
  EXPECT_EQ(png_claimed_size(as_bytes("")), std::nullopt);
}

RC_GTEST_PROP(PngTexts, AnyBytesAreSurvived, (const std::string& junk)) {
  const std::string bytes = "\x89PNG\r\n\x1A\n" + junk;
  const auto cleaned = png_without_texts(as_bytes(bytes));
  (void)png_claimed_size(as_bytes(bytes));
  RC_ASSERT(!cleaned || cleaned->size() < bytes.size());
}

}  // namespace
}  // namespace thumb
