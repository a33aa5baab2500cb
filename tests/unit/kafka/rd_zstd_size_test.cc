// What is said of a packed batch: the truth where it is known, else room enough for what is usual.
#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace thumb::kafka {
namespace {

std::string packed(std::string_view text, bool says_its_size) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, says_its_size ? 1 : 0);
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  frame.resize(ZSTD_compress2(context.get(), frame.data(), frame.size(), text.data(), text.size()));
  return frame;
}

// Bytes that can't be packed.
std::string noise(std::size_t bytes, std::uint32_t state = 1) {
  std::string text(bytes, '\0');
  for (auto& byte : text) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return text;
}

TEST(RdZstdSize, IsThatOfTheFrameIfItSaysSo) {
  const auto frame = packed("what is in a batch", true);
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 18U);
}

TEST(RdZstdSize, IsRoomEnoughForUsualBatchesElse) {
  std::string batch;
  for (std::uint32_t i = 0; i < 5; ++i) batch += noise(2'000, i) + std::string(8'000, ' ');
  const auto frame = packed(batch, false);
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  ASSERT_GE(size, batch.size());
  std::string room(size, '\0');
  EXPECT_EQ(ZSTD_decompress(room.data(), room.size(), frame.data(), frame.size()), batch.size());
}

TEST(RdZstdSize, IsNotGuessedForLargeBatchesNorForWhatIsNone) {
  const auto large = packed(noise(2'000'000), false);
  EXPECT_EQ(ZSTD_getFrameContentSize(large.data(), large.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  EXPECT_EQ(ZSTD_getFrameContentSize("none", 4), ZSTD_CONTENTSIZE_ERROR);
}

}  // namespace
}  // namespace thumb::kafka
