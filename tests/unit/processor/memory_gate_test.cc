#include "processor/sandbox/memory_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace thumb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(MemoryGate, LetsInWhatFitsAndNoMore) {
  MemoryGate gate(100);
  const auto first = gate.enter(60, seconds(5));
  EXPECT_TRUE(first);
  const auto second = gate.enter(40, seconds(5));
  EXPECT_TRUE(second);
  EXPECT_FALSE(gate.enter(1, milliseconds(1)));
}

TEST(MemoryGate, GivesBackAtTheEndOfAShare) {
  MemoryGate gate(100);
  { const auto share = gate.enter(100, seconds(5)); }
  EXPECT_TRUE(gate.enter(100, seconds(5)));
}

TEST(MemoryGate, AnImageLargerThanAllMemoryWorksAlone) {
  MemoryGate gate(100);
  const auto all = gate.enter(1'000, seconds(5));
  EXPECT_TRUE(all);
  EXPECT_FALSE(gate.enter(1, milliseconds(1)));
}

TEST(MemoryGate, ATimedOutWaiterDoesNotBlockThoseBehind) {
  MemoryGate gate(100);
  const auto held = gate.enter(50, seconds(5));
  EXPECT_FALSE(gate.enter(60, milliseconds(1)));
  EXPECT_TRUE(gate.enter(50, seconds(5)));
}

TEST(MemoryGate, ManyThreadsNeverExceedTheCapacity) {
  MemoryGate gate(100);
  std::atomic<int> used{0};
  std::atomic<bool> exceeded{false};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 300; ++i) {
          const int bytes = 10 + (t * 31 + i * 17) % 90;
          const auto share = gate.enter(static_cast<std::uint64_t>(bytes), seconds(60));
          if (!share) ++refused;
          if (used.fetch_add(bytes) + bytes > 100) exceeded = true;
          used.fetch_sub(bytes);
        }
      });
    }
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace thumb
