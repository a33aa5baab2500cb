// Shares of work, and who is told when one of them fails.
#include "platform/on_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace thumb {
namespace {

// Until told to stop.
Result<void> wait_for(const std::stop_token& told) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, told, [] { return false; });
  return told_to_stop();
}

TEST(OnThreads, DoesEachShareOnce) {
  std::atomic<std::size_t> sum{0};
  EXPECT_TRUE(on_threads(5, {}, [&](std::size_t number, const std::stop_token&) -> Result<void> {
    sum += 1ULL << number;
    return {};
  }));
  EXPECT_EQ(sum, 31U);
}

TEST(OnThreads, TheFirstErrorEndsTheOthersAndIsGiven) {
  const auto done =
      on_threads(3, {}, [](std::size_t number, const std::stop_token& told) -> Result<void> {
        if (number == 1) return fail(ErrorKind::kCorrupt, "bad", "bad");
        return wait_for(told);
      });
  EXPECT_EQ(done.error().code, "bad");
}

TEST(OnThreads, AStopReachesAll) {
  std::stop_source stop;
  std::atomic<int> begun{0};
  const auto done = on_threads(2, stop.get_token(), [&](std::size_t, const std::stop_token& told) {
    if (++begun == 2) stop.request_stop();
    return wait_for(told);
  });
  EXPECT_EQ(done.error().code, "stopped");
}

}  // namespace
}  // namespace thumb
