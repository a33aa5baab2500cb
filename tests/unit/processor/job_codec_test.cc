// What a worker says is checked as if it were an attacker's: one of these tests is one.
#include "processor/sandbox/job_codec.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "platform/digest.h"
#include "tests/support/rapidcheck_gtest.h"

namespace thumb {
namespace {

const std::string kJpegBytes = "\xFF\xD8\xFF\xE0 as far as anybody looks";
const std::string kPngBytes = "\x89PNG\r\n\x1A\n as far as anybody looks";

DecodeJob job() {
  return {
      1'234, {40'000, std::chrono::milliseconds(700)}, {{"small", 100, 100}, {"big", 300, 200}}};
}

MadeThumbnails made() {
  return {{200, 150},
          {{"small", ImageFormat::kJpeg, {100, 75}, kJpegBytes, sha256_hex(as_bytes(kJpegBytes))},
           {"big", ImageFormat::kPng, {200, 150}, kPngBytes, sha256_hex(as_bytes(kPngBytes))}}};
}

Result<Result<MadeThumbnails>> read(const Result<MadeThumbnails>& answer) {
  return decode_answer(as_bytes(encode_answer(answer)), job());
}

TEST(JobCodec, AJobArrivesAsItWas) {
  const auto read = decode_job(as_bytes(encode_job(job())));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->variants == job().variants);
  EXPECT_EQ(read->original_bytes, job().original_bytes);
  EXPECT_EQ(read->limits.max_pixels, job().limits.max_pixels);
  EXPECT_EQ(read->limits.max_time, job().limits.max_time);
}

TEST(JobCodec, ThumbnailsArriveWithTheirDigests) {
  const auto answer = read(made());
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->original_size, made().original_size);
  ASSERT_EQ((*answer)->thumbnails.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& got = (*answer)->thumbnails[i];
    const MadeThumbnail sent = made().thumbnails[i];
    EXPECT_EQ(got.name, sent.name);
    EXPECT_EQ(got.format, sent.format);
    EXPECT_EQ(got.size, sent.size);
    EXPECT_EQ(got.bytes, sent.bytes);
    EXPECT_EQ(got.sha256, sent.sha256);
  }
}

TEST(JobCodec, AnImagesFaultArrives) {
  const auto answer = read(fail(ErrorKind::kLimit, "too-many-pixels", "It has 5 pixels.", "a\nb"));
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, "too-many-pixels");
  EXPECT_EQ(answer->error().message, "It has 5 pixels.");
  EXPECT_EQ(answer->error().detail, "a?b");
  EXPECT_EQ(answer->error().kind, ErrorKind::kLimit);
}

TEST(JobCodec, LiesAreSeen) {
  const std::function<void(MadeThumbnails&)> lies[] = {
      [](auto& it) { it.thumbnails.pop_back(); },
      [](auto& it) { it.thumbnails.push_back(it.thumbnails[0]); },
      [](auto& it) { it.thumbnails.clear(); },
      [](auto& it) {
        it.thumbnails[0].size = {101, 75};
      },
      [](auto& it) {
        it.thumbnails[0].size = {100, 0};
      },
      [](auto& it) {
        it.thumbnails[1].size = {200, 201};
      },
      [](auto& it) { it.thumbnails[0].bytes = "<html>"; },
      [](auto& it) { it.thumbnails[0].bytes.clear(); },
      [](auto& it) {
        it.original_size = {0, 10};
      },
      [](auto& it) {
        it.original_size = {201, 200};
      },  // past the job's pixels
      [](auto& it) {
        it.original_size = {0xFFFFFFFF, 0xFFFFFFFF};
      },
  };
  int which = 0;
  for (const auto& lie : lies) {
    MadeThumbnails told = made();
    lie(told);
    EXPECT_FALSE(read(told)) << which;
    ++which;
  }
}

TEST(JobCodec, AWorkerCantBlameTheMachineNorPublishWhatItLikes) {
  EXPECT_FALSE(read(fail(ErrorKind::kUnavailable, "decoder-busy", "later")));
  EXPECT_FALSE(read(fail(ErrorKind::kUnavailable, "original-gone", "gone")));
  EXPECT_FALSE(read(fail(ErrorKind::kCorrupt, "corrupt-image", "")));
  EXPECT_FALSE(read(fail(ErrorKind::kCorrupt, "corrupt-image", "two\nlines")));
  EXPECT_FALSE(read(fail(ErrorKind::kCorrupt, "corrupt-image", std::string(301, 'x'))));
  EXPECT_FALSE(read(fail(ErrorKind::kCorrupt, "", "no code")));
}

TEST(JobCodec, EveryCutIsSeen) {
  const std::string whole = encode_answer(made());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_answer(as_bytes(whole.substr(0, length)), job())) << length;
  }
  EXPECT_FALSE(decode_answer(as_bytes(whole + "x"), job()));
  const std::string order = encode_job(job());
  for (std::size_t length = 0; length < order.size(); ++length) {
    EXPECT_FALSE(decode_job(as_bytes(order.substr(0, length)))) << length;
  }
}

TEST(JobCodec, NoiseIsNoAnswer) {
  testing::check_property(
      [](const std::string& noise) { RC_ASSERT(!decode_answer(as_bytes(noise), job())); });
}

TEST(JobCodec, DamagedAnswersKeepWithinTheirBounds) {
  std::mt19937 random(7);
  const std::string whole = encode_answer(made());
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = whole;
    for (unsigned i = 0; i <= random() % 4; ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const auto answer = decode_answer(as_bytes(damaged), job());
    if (!answer || !*answer) continue;
    for (const auto& one : (*answer)->thumbnails) {
      EXPECT_EQ(one.sha256, sha256_hex(as_bytes(one.bytes)));
      EXPECT_LE(one.size.width, 300U);
    }
  }
}

}  // namespace
}  // namespace thumb
