// The loop through everything at once.
#include <random>

#include "tests/unit/processor/runner_fixture.h"

namespace thumb {
namespace {

using namespace testing;
using enum TransactionFault;

// Everything at once, in an order that a seed decides.
class RunnerChaosTest : public RunnerTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(RunnerChaosTest, ExactlyOneTerminalEventThroughFaultsAndRebalances) {
  constexpr int kRequests = 60;
  std::mt19937 random(GetParam());
  const auto one_of = [&](unsigned n) { return static_cast<int>(random() % n); };
  std::deque<TransactionFault> faults;
  for (int i = 0; i < 12; ++i) {
    constexpr TransactionFault kFaults[] = {kAborted, kFatal, kUnknownAndCommitted,
                                            kUnknownAndNotCommitted};
    faults.push_back(kFaults[one_of(4)]);
  }
  for (int n = 0; n < kRequests; n += 7)
    desk_.fail_first(request_of(n), static_cast<unsigned>(one_of(3)));
  cluster_.fail_next(faults);
  start();
  assign({0, 1});
  std::int64_t ends[2] = {0, 0};
  for (int n = 0; n < kRequests; ++n) {
    const std::int32_t partition = n % 2;
    ends[partition] = append(upload(n), partition) + 1;
    if (one_of(4) == 0) ends[partition] = append(upload(n), partition) + 1;  // a repeat
    if (one_of(6) == 0) {
      const auto kind = one_of(2) == 0 ? Rebalance::Kind::kRevoke : Rebalance::Kind::kLose;
      const std::int32_t moved = one_of(2);
      cluster_.rebalance({kind, {moved}});
      assign({moved});
    }
    if (one_of(10) == 0) {
      const auto some = 1 + one_of(static_cast<unsigned>(ends[partition]));
      EXPECT_TRUE(committed_reaches(some, partition));
    }
  }
  EXPECT_TRUE(committed_reaches(ends[0], 0));
  EXPECT_TRUE(committed_reaches(ends[1], 1));
  stop();
  EXPECT_TRUE(ended_);
  expect_each_once(kRequests);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RunnerChaosTest, ::testing::Range(1U, 31U));

}  // namespace
}  // namespace thumb
