#include "platform/failpoint.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace thumb {
namespace {

// In the child of a death test, where the environment is read for the first time.
void pass(const char* plan, int times) {
  ::setenv("THUMB_FAILPOINT", plan, 1);
  for (int n = 0; n < times; ++n) {
    failpoint("test.first");
    failpoint("test.second");
  }
  std::_Exit(0);
}

const ::testing::KilledBySignal kKilled(SIGKILL);
const ::testing::ExitedWithCode kLived(0);

TEST(FailpointDeathTest, EndsTheProcessWhereItIsNamed) {
  EXPECT_EXIT(pass("test.second", 1), kKilled, "failpoint test.second");
}

TEST(FailpointDeathTest, CountsThePassages) {
  EXPECT_EXIT(pass("test.first:3", 3), kKilled, "failpoint test.first");
  EXPECT_EXIT(pass("test.first:3", 2), kLived, "");
}

TEST(FailpointDeathTest, LetsPassWhatIsNotNamed) {
  EXPECT_EXIT(pass("test.third", 2), kLived, "");
  EXPECT_EXIT(pass("test", 2), kLived, "");
  EXPECT_EXIT(pass("", 2), kLived, "");
}

}  // namespace
}  // namespace thumb
