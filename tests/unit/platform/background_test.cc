// A thread that steps back takes those that it starts with it, and no other.
#include "platform/background.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace thumb {
namespace {

TEST(RunInBackground, HoldsForTheThreadAndThoseThatItStarts) {
  const int before = ::sched_getscheduler(0);
  int own = -1;
  int started = -1;
  std::thread([&] {
    run_in_background();
    own = ::sched_getscheduler(0);
    std::thread([&] { started = ::sched_getscheduler(0); }).join();
  }).join();
  EXPECT_EQ(own, SCHED_IDLE);
  EXPECT_EQ(started, SCHED_IDLE);
  EXPECT_EQ(::sched_getscheduler(0), before);
}

}  // namespace
}  // namespace thumb
