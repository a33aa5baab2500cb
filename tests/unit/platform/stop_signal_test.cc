// SIGTERM ends a wait in order. Each case runs in a child, since signals are process-wide.
#include "platform/stop_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace thumb {
namespace {

TEST(StopSignalDeathTest, SigtermEndsTheWait) {
  EXPECT_EXIT(
      {
        StopSignal stop;
        ::kill(::getpid(), SIGTERM);
        stop.wait();
        std::_Exit(stop.token().stop_requested() ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST(StopSignalDeathTest, AFailureEndsTheWaitToo) {
  EXPECT_EXIT(
      {
        StopSignal stop;
        std::jthread failing([&] { stop.request_stop(); });
        stop.wait();
        std::_Exit(7);
      },
      ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace thumb
