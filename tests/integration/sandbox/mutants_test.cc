// Thousands of damaged images through the real sandbox: each gets a picture or a stable code, no
// process of ours ends but by its own rules, and memory stays within its limit.
// THUMB_TEST_MUTANTS says how many of each format (default 5,000); the same number gives the same
// bytes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "platform/text.h"
#include "processor/sandbox/sandboxed_thumbnail_maker.h"
#include "tests/integration/sandbox/process_tree.h"
#include "tests/support/image_samples.h"

namespace thumb {
namespace {

using namespace testing;

constexpr std::uint64_t kMemoryBytes = 512ULL << 20U;
constexpr std::size_t kWorkers = 3;
// What a worker has besides pixels; with sanitizers, their shadow and quarantine too.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kWorkerOwnBytes = 160U << 20U;
#else
constexpr std::size_t kWorkerOwnBytes = 64U << 20U;
#endif

// Not "decoder-crashed": that would be survived, but it is a bug to be mended.
const std::set<std::string> kAnswers = {
    "made",          "corrupt-image", "unsupported-format", "too-many-pixels",
    "out-of-memory", "decode-timeout"};

std::size_t mutants_per_format() {
  constexpr std::uint64_t kUsual = 5'000;
  const char* asked = std::getenv("THUMB_TEST_MUTANTS");
  return static_cast<std::size_t>(asked == nullptr ? kUsual : parse_u64(asked).value_or(kUsual));
}

std::vector<std::string> originals(ImageFormat format) {
  const std::string still = noise(format, {120, 90});
  const std::string flat = quarters(format, {300, 200}, {kRed, kClear, kBlue, kYellow});
  switch (format) {
    case ImageFormat::kJpeg:
      return {still,
              quarters(format, {300, 200}),
              progressive_jpeg({200, 150}),
              cmyk_jpeg({90, 60}),
              jpeg_with_orientation(still, 6),
              jpeg_with_swapped_primaries({90, 60}, kRed)};
    case ImageFormat::kPng:
      return {still, flat, png_16_bit({90, 60}), png_with_chunk(flat, "eXIf", exif_tiff(6))};
    case ImageFormat::kGif:
    case ImageFormat::kWebp:
      return {still, flat, animated(format, {90, 60}, kRed, kBlue)};
  }
  return {};
}

// One to eight bits, anywhere or in the head, which is where decoders believe what they read.
std::string flipped(std::string bytes, std::mt19937& random) {
  const bool head_only = random() % 2 == 0;
  const std::size_t reach = head_only ? std::min<std::size_t>(bytes.size(), 256) : bytes.size();
  for (unsigned i = 0; i <= random() % 8; ++i) {
    char& byte = bytes[random() % reach];
    byte = static_cast<char>(byte ^ (1 << (random() % 8)));
  }
  return bytes;
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ (0xEDB88320U & (0U - (crc & 1U)));
  }
  return ~crc;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

// With checksums that are right, damage gets past libpng's door.
std::string checksums_mended(std::string png) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // length, type and CRC
  for (std::size_t at = kSignature; at + kAround <= png.size();) {
    const std::size_t length = big_endian(std::string_view(png).substr(at));
    if (length > png.size() - at - kAround) break;
    const std::uint32_t crc = crc32(std::string_view(png).substr(at + 4, length + 4));
    for (unsigned i = 0; i < 4; ++i) {
      png[at + 8 + length + i] = static_cast<char>(crc >> (24U - 8U * i));
    }
    at += kAround + length;
  }
  return png;
}

std::vector<std::string> mutants(ImageFormat format, std::size_t count) {
  std::mt19937 random(20'261'121U + static_cast<unsigned>(format));
  const auto whole = originals(format);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(flipped(whole[i % whole.size()], random));
    if (format == ImageFormat::kPng && i % 3 != 0) all.back() = checksums_mended(all.back());
  }
  for (const auto& bytes : whole) {
    for (std::size_t cut = 0; cut < 50; ++cut) {
      all.push_back(bytes.substr(0, bytes.size() * cut / 50));
    }
  }
  return all;
}

// The largest sum of what the decoding processes had resident, looked at all the time.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t zygote)
      : thread_([this, zygote](const std::stop_token& stop) { watch(zygote, stop); }) {}
  std::size_t highest() const { return highest_; }

 private:
  void watch(pid_t zygote, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      std::size_t sum = 0;
      for (const pid_t worker : children_of(zygote)) sum += resident_bytes(worker);
      highest_ = std::max<std::size_t>(highest_, sum);
      never.wait_for(lock, stop, std::chrono::milliseconds(10), [] { return false; });
    }
  }
  std::atomic<std::size_t> highest_{0};
  std::jthread thread_;
};

class MutantsTest : public ::testing::TestWithParam<ImageFormat> {
 protected:
  static void SetUpTestSuite() { samples_ready(); }

  void feed(SandboxedThumbnailMaker& maker, const std::vector<std::string>& files) {
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> callers;
    for (std::size_t t = 0; t < 2 * kWorkers; ++t) {
      callers.emplace_back([&] {
        for (std::size_t i = next++; i < files.size(); i = next++) {
          const auto result = maker.make(as_bytes(files[i]), default_variants(), {});
          const std::scoped_lock lock(mutex_);
          ++answers_[result ? "made" : result.error().code];
          EXPECT_TRUE(result || result.error().retry == Retry::kNever) << i;
        }
      });
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::size_t> answers_;
};

TEST_P(MutantsTest, EachIsAnsweredAndHurtsNobodyElse) {
  const auto files = mutants(GetParam(), mutants_per_format());
  Log log("mutants", LogLevel::kWarn);
  Metrics metrics;
  auto maker = SandboxedThumbnailMaker::start(
      {.workers = kWorkers, .memory_bytes = kMemoryBytes, .images_per_worker = 500}, log, metrics);
  ASSERT_TRUE(maker) << maker.error().detail;
  const auto zygote = children_of(getpid());
  ASSERT_EQ(zygote.size(), 1U);
  {
    const MemoryWatch memory(zygote[0]);
    feed(**maker, files);
    EXPECT_LE(memory.highest(), kMemoryBytes + kWorkers * kWorkerOwnBytes);
    RecordProperty("highest_resident_mebibytes", static_cast<int>(memory.highest() >> 20U));
    std::printf("%zu files, %zu MiB at most\n", files.size(), memory.highest() >> 20U);
  }
  std::size_t answered = 0;
  for (const auto& [answer, count] : answers_) {
    EXPECT_TRUE(kAnswers.contains(answer)) << answer;
    answered += count;
    std::printf("  %-18s %zu\n", answer.c_str(), count);
  }
  EXPECT_EQ(answered, files.size());
  EXPECT_EQ(children_of(getpid()), zygote);  // still the first one
  // A sanitizer's report ends a worker as memory does that runs out (exit code 1).
  for (const char* reason : {"crashed", "memory", "killed"}) {
    EXPECT_EQ(
        metrics.counter("thumb_decoder_worker_restarts_total", "", {{"reason", reason}}).Value(), 0)
        << reason;
  }
  EXPECT_TRUE((*maker)->make(as_bytes(originals(GetParam())[0]), default_variants(), {}));
}

INSTANTIATE_TEST_SUITE_P(Formats, MutantsTest,
                         ::testing::Values(ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kGif,
                                           ImageFormat::kWebp),
                         [](const auto& about) { return std::string(extension_of(about.param)); });

}  // namespace
}  // namespace thumb
