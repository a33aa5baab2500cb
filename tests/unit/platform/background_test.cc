// A thread that steps back takes those that it starts with it, and no other.
#include "platform/background.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace thumb {
namespace {

int niceness() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

TEST(RunInBackground, HoldsForTheThreadAndThoseThatItStarts) {
  const int before = niceness();
  int own = before;
  int started = before;
  std::thread([&] {
    run_in_background();
    own = niceness();
    std::thread([&] { started = niceness(); }).join();
  }).join();
  EXPECT_GT(own, before);
  EXPECT_EQ(started, own);
  EXPECT_EQ(niceness(), before);
}

}  // namespace
}  // namespace thumb
