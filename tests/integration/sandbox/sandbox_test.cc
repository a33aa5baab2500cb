// Hostile "images" in real confined processes: each is stopped, and the pool goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "platform/file_io.h"
#include "processor/image/magick_thumbnail_maker.h"
#include "processor/sandbox/sandboxed_thumbnail_maker.h"
#include "tests/integration/processor/child_process.h"
#include "tests/integration/sandbox/process_tree.h"
#include "tests/support/image_samples.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait_until.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MakeLimits kNoHurry{50'000'000, milliseconds(60'000)};

class SandboxTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { samples_ready(); }

  void start(SandboxOptions options = {}) {
    auto started = SandboxedThumbnailMaker::start(options, log_, metrics_);
    ASSERT_TRUE(started) << started.error().detail;
    maker_ = std::move(*started);
  }
  Result<MadeThumbnails> make(const std::string& bytes, const MakeLimits& limits = kNoHurry) {
    return maker_->make(as_bytes(bytes), default_variants(), limits);
  }
  // "made", or the code; no error that an image causes may ask for a repeat.
  std::string code_of(const std::string& bytes, const MakeLimits& limits = kNoHurry) {
    const auto result = make(bytes, limits);
    if (result) return "made";
    EXPECT_EQ(result.error().retry, Retry::kNever) << result.error().code;
    detail_ = result.error().detail;
    return result.error().code;
  }
  double restarts(const char* reason) {
    return metrics_.counter("thumb_decoder_worker_restarts_total", "", {{"reason", reason}})
        .Value();
  }
  double confined_by(const char* feature) {
    return metrics_.gauge("thumb_decoder_sandbox", "", {{"feature", feature}}).Value();
  }
  pid_t zygote() {
    const auto found = children_of(getpid());
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? -1 : found[0];
  }
  std::vector<pid_t> workers() { return children_of(zygote()); }
  // A worker that is at work, once there is one.
  pid_t wait_busy() {
    std::vector<pid_t> busy;
    EXPECT_TRUE(wait_until([&] { return !(busy = busiest(workers())).empty(); }));
    return busy.empty() ? -1 : busy[0];
  }
  // A job that is at work when this returns, and its worker. REQUIRES: one worker.
  std::pair<std::future<std::string>, pid_t> hang_in_present_worker() {
    const pid_t present = workers().at(0);
    auto job = std::async(std::launch::async, [this, present] {
      return code_of("test:hang-in " + std::to_string(present));
    });
    EXPECT_EQ(wait_busy(), present);
    return {std::move(job), present};
  }

  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  std::unique_ptr<SandboxedThumbnailMaker> maker_;
  const std::string good_ = quarters(ImageFormat::kJpeg, {400, 300});
  std::string detail_;
};

TEST_F(SandboxTest, MakesWhatIsMadeInProcess) {
  start();
  MagickThumbnailMaker here(samples_ready(), [](std::uint64_t /*bytes*/) { return true; });
  const std::vector<VariantSpec> variants = {{"small", 20, 20}, {"wide", 300, 30}};
  const std::string samples[] = {
      good_,
      quarters(ImageFormat::kPng, {300, 300}, {kRed, kClear, kBlue, kYellow}),
      quarters(ImageFormat::kGif, {50, 40}),
      quarters(ImageFormat::kWebp, {640, 480}),
      jpeg_with_orientation(quarters(ImageFormat::kJpeg, {200, 100}), 6),
      jpeg_with_swapped_primaries({120, 80}, kRed),
      progressive_jpeg({900, 700}),
      cmyk_jpeg({100, 100}),
      png_16_bit({300, 200}),
      animated(ImageFormat::kGif, {90, 60}, kRed, kBlue),
  };
  for (const auto& bytes : samples) {
    const auto expected = here.make(as_bytes(bytes), variants, kNoHurry);
    const auto got = maker_->make(as_bytes(bytes), variants, kNoHurry);
    ASSERT_TRUE(expected && got) << (got ? "" : got.error().detail);
    EXPECT_EQ(got->original_size, expected->original_size);
    ASSERT_THAT(got->thumbnails, SizeIs(2));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(got->thumbnails[i].name, variants[i].name);
      EXPECT_EQ(got->thumbnails[i].format, expected->thumbnails[i].format);
      EXPECT_EQ(got->thumbnails[i].size, expected->thumbnails[i].size);
      EXPECT_EQ(got->thumbnails[i].sha256, expected->thumbnails[i].sha256);
    }
  }
  EXPECT_THAT(workers(), SizeIs(1));
  EXPECT_EQ(restarts("crashed"), 0);
}

TEST_F(SandboxTest, SaysOfAnImageWhatIsSaidInProcess) {
  start();
  EXPECT_EQ(code_of("just some text"), "unsupported-format");
  EXPECT_EQ(code_of(png_claiming({60'000, 60'000})), "too-many-pixels");
  EXPECT_EQ(code_of(good_.substr(0, good_.size() / 2)), "corrupt-image");
  EXPECT_EQ(code_of(good_, {100, milliseconds(1'000)}), "too-many-pixels");
  EXPECT_EQ(code_of(""), "unsupported-format");
  EXPECT_EQ(restarts("crashed"), 0);
}

TEST_F(SandboxTest, IsConfinedByAllThatTheKernelHas) {
  start();
  EXPECT_EQ(confined_by("seccomp"), 1);
  EXPECT_EQ(confined_by("no_new_privileges"), 1);
  EXPECT_EQ(confined_by("resource_limits"), 1);
}

TEST_F(SandboxTest, ForbiddenCallsEndTheWorkerAndNothingElse) {
  start();
  const std::string trace = "ptrace " + std::to_string(getpid());
  for (const std::string& misdeed : {std::string("socket"), std::string("exec"), trace,
                                     std::string("fork"), std::string("code")}) {
    SCOPED_TRACE(misdeed);
    EXPECT_EQ(code_of("test:" + misdeed), "decoder-crashed");
    EXPECT_THAT(detail_, HasSubstr("Bad system call"));
    EXPECT_EQ(code_of(good_), "made");
  }
  EXPECT_EQ(restarts("crashed"), 5);
}

TEST_F(SandboxTest, NoOtherProcessCanBeSignalled) {
  start();
  EXPECT_EQ(code_of("test:signal " + std::to_string(getpid())), "decoder-crashed");
  EXPECT_EQ(code_of("test:signal " + std::to_string(zygote())), "decoder-crashed");
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, NoFileCanBeOpenedOrMade) {
  start();
  const TempDir folder;
  const auto made_file = folder.path() / "made";
  for (const std::string& order :
       {std::string("open /etc/passwd"), std::string("open /proc/self/maps"),
        "create " + made_file.string()}) {
    EXPECT_EQ(code_of("test:" + order), "corrupt-image") << order;
    EXPECT_EQ(detail_, "Permission denied");
  }
  EXPECT_FALSE(std::filesystem::exists(made_file));
}

TEST_F(SandboxTest, ACrashIsTheImagesFault) {
  start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(code_of("test:crash"), "decoder-crashed");
    EXPECT_EQ(code_of("test:exit 3"), "decoder-crashed");
    EXPECT_EQ(code_of("test:exit 0"), "decoder-crashed");
  }
  EXPECT_EQ(code_of(good_), "made");
  EXPECT_TRUE(maker_->healthy());
}

TEST_F(SandboxTest, AHangEndsByTheProcessorsClock) {
  start();
  EXPECT_EQ(code_of("test:hang", {50'000'000, milliseconds(200)}), "decode-timeout");
  EXPECT_EQ(code_of(good_), "made");
  EXPECT_EQ(restarts("timeout"), 1);
}

TEST_F(SandboxTest, MemoryIsLimited) {
  start({.memory_bytes = 64U << 20U});
  EXPECT_EQ(code_of("test:hog"), "out-of-memory");
  EXPECT_EQ(code_of("test:exit 1"), "out-of-memory")
      << detail_;  // ImageMagick's end when memory runs out
  EXPECT_EQ(code_of(good_), "made");
  EXPECT_EQ(code_of(quarters(ImageFormat::kPng, {4000, 3000})), "out-of-memory");
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, NonsenseInTheAnswerIsNotBelieved) {
  start();
  for (const char* length : {"0", "8", "100", "1000000", "18446744073709551615"}) {
    EXPECT_EQ(code_of(std::string("test:nonsense ") + length), "decoder-crashed") << length;
  }
  EXPECT_EQ(code_of("test:ask-twice"), "decoder-crashed");
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, AFloodOnStderrHarmsNobody) {
  start();
  EXPECT_EQ(code_of("test:shout 4"), "internal");
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, WorkersAreReplacedAfterSomeImages) {
  start({.images_per_worker = 3});
  std::set<pid_t> seen;
  for (int i = 0; i < 9; ++i) {
    const auto told = make("test:shout 0");
    ASSERT_FALSE(told);
    seen.insert(std::stoi(told.error().detail));
  }
  EXPECT_THAT(seen, SizeIs(3));
  EXPECT_EQ(restarts("recycled"), 3);
}

TEST_F(SandboxTest, MoreCallersThanWorkersAreServedInTurn) {
  start({.workers = 2});
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          if (make(good_)) ++made;
        }
      });
    }
  }
  EXPECT_EQ(made, 40);
  EXPECT_TRUE(wait_until([&] { return workers().size() == 2; }));
}

TEST_F(SandboxTest, WhoFindsNoWorkerFreeIsToldToComeBack) {
  start({.longest_wait = milliseconds(50)});
  auto hanging = std::async(std::launch::async, [&] { return make("test:hang"); });
  wait_busy();
  const auto refused = make(good_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "decoder-busy");
  EXPECT_EQ(refused.error().retry, Retry::kBackoff);
  kill(zygote(), SIGKILL);
  EXPECT_FALSE(hanging.get());
}

TEST_F(SandboxTest, AWorkerKilledInMidJobIsNotTheImagesFault) {
  start();
  auto [job, worker] = hang_in_present_worker();
  kill(worker, SIGKILL);
  EXPECT_EQ(job.get(), "internal");  // what its replacement said
  EXPECT_EQ(restarts("killed"), 1);
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, KilledTwiceFromOutsideMeansTheKernelIsShortOfMemory) {
  start();
  auto job = std::async(std::launch::async, [&] { return code_of("test:hang"); });
  for (int kills = 1; kills <= 2; ++kills) {
    const pid_t worker = wait_busy();
    ASSERT_GT(worker, 0);
    kill(worker, SIGKILL);
    ASSERT_TRUE(wait_until([&] { return restarts("killed") == kills; }));
  }
  EXPECT_EQ(job.get(), "out-of-memory");
}

TEST_F(SandboxTest, AnIdleWorkerThatIsKilledIsReplaced) {
  start({.workers = 2});
  ASSERT_TRUE(wait_until([&] { return workers().size() == 2; }));
  for (const pid_t worker : workers()) kill(worker, SIGKILL);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, AKilledZygoteIsReplacedAndItsJobsAreDoneAgain) {
  start();
  for (int i = 0; i < 3; ++i) {
    const pid_t first = zygote();
    auto [job, worker] = hang_in_present_worker();
    kill(first, SIGKILL);
    EXPECT_EQ(job.get(), "internal");
    EXPECT_NE(zygote(), first);
  }
  EXPECT_EQ(metrics_.counter("thumb_decoder_zygote_restarts_total", "").Value(), 3);
  EXPECT_TRUE(maker_->healthy());
}

TEST_F(SandboxTest, AHungZygoteIsReplaced) {
  start();
  const pid_t hung = zygote();
  kill(hung, SIGSTOP);
  EXPECT_EQ(code_of("test:hang", {50'000'000, milliseconds(100)}), "decode-timeout");
  EXPECT_EQ(code_of(good_), "made");
  EXPECT_NE(zygote(), hung);
}

// Its folder for temporary files is what a zygote needs of the outside.
TEST_F(SandboxTest, DecodersThatCantStartAreToldAndTriedAgain) {
  TempDir folder;
  const auto temporary = folder.path() / "tmp";
  setenv("TMPDIR", temporary.c_str(), 1);
  const auto refused = SandboxedThumbnailMaker::start({}, log_, metrics_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "decoder-unavailable");
  EXPECT_THAT(refused.error().detail, HasSubstr("TMPDIR"));
  EXPECT_THAT(children_of(getpid()), IsEmpty());

  std::filesystem::create_directory(temporary);
  start();
  std::filesystem::remove_all(temporary);
  kill(zygote(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !maker_->healthy(); }));
  std::filesystem::create_directory(temporary);
  EXPECT_TRUE(wait_until([&] { return maker_->healthy(); }));
  unsetenv("TMPDIR");
  EXPECT_EQ(code_of(good_), "made");
}

TEST_F(SandboxTest, NothingIsLeftBehind) {
  start({.workers = 3});
  ASSERT_TRUE(wait_until([&] { return workers().size() == 3; }));
  const auto all = descendants_of(getpid());
  ASSERT_THAT(all, SizeIs(4));
  maker_.reset();
  EXPECT_THAT(children_of(getpid()), IsEmpty());
  for (const pid_t pid : all) EXPECT_FALSE(is_running(pid));
}

// The pool in a process of its own, whose log is read.
class PoolProcessTest : public ::testing::Test {
 protected:
  void start(const char* part) {
    process_.emplace(std::vector<std::string>{"/proc/self/exe", part},
                     std::map<std::string, std::string>{}, log_file());
    // Two threads write these, in either order: a text is refused by its first bytes, which may be
    // before a worker has started and told how it is confined.
    ASSERT_TRUE(wait_until([&] { return has_logged("pool runs") && has_logged("confined"); }))
        << logged();
  }
  std::filesystem::path log_file() const { return folder_.path() / "log"; }
  std::string logged() const { return read_file(log_file()).value_or(""); }
  bool has_logged(std::string_view text) const { return logged().find(text) != std::string::npos; }

  TempDir folder_;
  std::optional<ChildProcess> process_;
};

TEST_F(PoolProcessTest, KilledItLeavesNothingBehind) {
  start("pool");
  EXPECT_THAT(logged(), HasSubstr("decoding is confined"));
  const auto family = [] { return descendants_of(getpid()); };
  ASSERT_TRUE(wait_until([&] { return family().size() == 4; }));  // pool, zygote, two workers
  const auto all = family();
  process_->send(SIGKILL);
  EXPECT_EQ(process_->wait(), 128 + SIGKILL);
  for (const pid_t pid : all) EXPECT_TRUE(wait_until([&] { return !is_running(pid); }));
}

TEST_F(PoolProcessTest, SaysWhatIsNotPermittedAndGoesOnWithTheRest) {
  start("pool-without-seccomp");
  EXPECT_THAT(logged(), HasSubstr("unsupported-format"));
  EXPECT_THAT(logged(), HasSubstr(R"("seccomp":false,"landlock":false,"resource_limits":true)"));
  EXPECT_THAT(logged(), HasSubstr(R"("level":"warn")"));
}

TEST_F(SandboxTest, TheDecodersSeeNoSettings) {
  setenv("THUMB_KAFKA_OPTIONS", "sasl.password=secret", 1);
  start();
  unsetenv("THUMB_KAFKA_OPTIONS");
  EXPECT_THAT(environment_of(zygote()), Not(HasSubstr("THUMB_")));
  EXPECT_THAT(environment_of(zygote()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace thumb
