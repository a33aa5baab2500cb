#include "processor/sandbox/death.h"

#include <gtest/gtest.h>

#include <csignal>

namespace thumb {
namespace {

// As waitpid reports on Linux.
Death exited(int code) { return code << 8; }
Death signalled(int signal) { return signal; }

TEST(Death, TellsWhoseFaultItIs) {
  EXPECT_EQ(cause_of(std::nullopt), Cause::kLostZygote);
  EXPECT_EQ(cause_of(signalled(SIGKILL)), Cause::kKilled);
  EXPECT_EQ(cause_of(signalled(SIGSEGV)), Cause::kCrash);
  EXPECT_EQ(cause_of(signalled(SIGSYS)), Cause::kCrash);
  EXPECT_EQ(cause_of(exited(1)), Cause::kMemory);  // ImageMagick, when an allocation fails
  EXPECT_EQ(cause_of(exited(0)), Cause::kCrash);
  EXPECT_EQ(cause_of(exited(7)), Cause::kCrash);
}

TEST(Death, IsDescribedForOperators) {
  EXPECT_EQ(describe(std::nullopt), "lost with its zygote");
  EXPECT_EQ(describe(exited(3)), "exit code 3");
  EXPECT_EQ(describe(signalled(SIGSYS)), "signal 31 (Bad system call)");
}

TEST(Death, TheImagesFaultsAreNeverRepeated) {
  EXPECT_EQ(decoder_crashed("x").value().code, "decoder-crashed");
  EXPECT_EQ(decoder_out_of_memory("x").value().code, "out-of-memory");
  EXPECT_EQ(decode_timeout().value().code, "decode-timeout");
  for (const auto& failure : {decoder_crashed(""), decoder_out_of_memory(""), decode_timeout()}) {
    EXPECT_EQ(failure.value().retry, Retry::kNever);
    EXPECT_FALSE(failure.value().message.empty());
  }
}

}  // namespace
}  // namespace thumb
