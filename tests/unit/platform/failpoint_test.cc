#include "platform/failpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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

// The child stands still until its parent, which sees that, lets it go on.
TEST(FailpointDeathTest, StopsWhereItIsToldTo) {
  const pid_t child = ::fork();
  if (child == 0) pass("test.first:2:stop", 2);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
}

TEST(FailpointDeathTest, LetsPassWhatIsNotNamed) {
  EXPECT_EXIT(pass("test.third", 2), kLived, "");
  EXPECT_EXIT(pass("test", 2), kLived, "");
  EXPECT_EXIT(pass("", 2), kLived, "");
}

}  // namespace
}  // namespace thumb
