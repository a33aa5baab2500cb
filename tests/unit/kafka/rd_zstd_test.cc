// What is said of a packed batch: the truth where it is known, else room enough for what is usual.
// And unpacking, by a context that is used again: as by libzstd's own, also after damaged batches.
#include <gtest/gtest.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

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

TEST(RdZstd, SizeIsThatOfTheFrameIfItSaysSo) {
  const auto frame = packed("what is in a batch", true);
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 18U);
}

TEST(RdZstd, SizeIsRoomEnoughForUsualBatchesElse) {
  std::string batch;
  for (std::uint32_t i = 0; i < 5; ++i) batch += noise(2'000, i) + std::string(8'000, ' ');
  const auto frame = packed(batch, false);
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  ASSERT_GE(size, batch.size());
  std::string room(size, '\0');
  EXPECT_EQ(ZSTD_decompress(room.data(), room.size(), frame.data(), frame.size()), batch.size());
}

TEST(RdZstd, SizeIsNotGuessedForLargeBatchesNorForWhatIsNone) {
  const auto large = packed(noise(2'000'000), false);
  EXPECT_EQ(ZSTD_getFrameContentSize(large.data(), large.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  EXPECT_EQ(ZSTD_getFrameContentSize("none", 4), ZSTD_CONTENTSIZE_ERROR);
}

std::size_t unpack(std::string_view frame, std::string& room) {
  return ZSTD_decompress(room.data(), room.size(), frame.data(), frame.size());
}

TEST(RdZstd, UnpacksWhatIsWholeAndRefusesWhatIsNotWhateverCameBefore) {
  const auto text = noise(50'000) + std::string(50'000, ' ');
  const auto frame = packed(text, false);
  std::string room(text.size(), '\0');
  for (const std::size_t cut : {0U, 1U, 7U, 20'000U}) {
    EXPECT_TRUE(
        ZSTD_isError(unpack(std::string_view(frame).substr(0, frame.size() - 1 - cut), room)));
    std::string little(text.size() - 1 - cut, '\0');
    EXPECT_EQ(ZSTD_getErrorCode(unpack(frame, little)), ZSTD_error_dstSize_tooSmall);
    ASSERT_EQ(unpack(frame, room), text.size());
    EXPECT_EQ(room, text);
  }
}

TEST(RdZstd, ThreadsUnpackBesideEachOther) {
  const auto unpack_often = [](std::uint32_t number) {
    const auto text = noise(20'000, number);
    const auto frame = packed(text, false);
    std::string room(text.size(), '\0');
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(unpack(frame, room), text.size());
      ASSERT_EQ(room, text);
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t number = 0; number < 4; ++number) threads.emplace_back(unpack_often, number);
}

}  // namespace
}  // namespace thumb::kafka
