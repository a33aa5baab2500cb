#include "platform/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

namespace thumb {
namespace {

TEST(WorkerPool, RunsEverythingItTook) {
  std::atomic<int> ran{0};
  {
    WorkerPool pool(4, 1000);
    for (int i = 0; i < 500; ++i) {
      WorkerPool::Job job = [&] { ++ran; };
      ASSERT_TRUE(pool.try_submit(job));
    }
  }
  EXPECT_EQ(ran, 500);
}

TEST(WorkerPool, SaysBusyInsteadOfGrowing) {
  std::latch started(1);
  std::promise<void> release;
  auto released = release.get_future().share();
  WorkerPool pool(1, 2);
  WorkerPool::Job blocker = [&] {
    started.count_down();
    released.wait();
  };
  ASSERT_TRUE(pool.try_submit(blocker));
  started.wait();  // the one thread is taken, the queue empty
  WorkerPool::Job first = [] {};
  WorkerPool::Job second = [] {};
  WorkerPool::Job third = [] {};
  EXPECT_TRUE(pool.try_submit(first));
  EXPECT_TRUE(pool.try_submit(second));
  EXPECT_FALSE(pool.try_submit(third));
  EXPECT_TRUE(third) << "a refused job stays with its owner";
  release.set_value();
}

}  // namespace
}  // namespace thumb
