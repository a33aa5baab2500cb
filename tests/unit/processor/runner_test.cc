// The loop with its threads, against a cluster in memory: exactly one terminal event per request
// through faults, rebalances, restarts.
#include "tests/unit/processor/runner_fixture.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum TransactionFault;

TEST_F(RunnerTest, EachRequestGetsOneTerminalEvent) {
  start();
  assign({0, 1});
  for (int n = 0; n < 40; ++n) append(upload(n), n % 2);
  EXPECT_TRUE(committed_reaches(20, 0));
  EXPECT_TRUE(committed_reaches(20, 1));
  EXPECT_TRUE(runner_->ready());
  stop();
  EXPECT_TRUE(ended_);
  expect_each_once(40);
}

TEST_F(RunnerTest, UnderLoadOneTransactionHoldsSeveral) {
  start();
  desk_.hold(request_of(0));
  for (int n = 0; n < 8; ++n) append(upload(n));
  assign({0});
  EXPECT_TRUE(started(7));
  EXPECT_EQ(cluster_.committed(0), -1);
  desk_.release(request_of(0));
  EXPECT_TRUE(committed_reaches(8));
  stop();
  expect_each_once(8);
  EXPECT_LT(cluster_.transactions().size(), 8U);
}

TEST_F(RunnerTest, NotMoreIsReadThanMayBeInWork) {
  for (int n = 0; n < 30; ++n) {
    desk_.hold(request_of(n));
    append(upload(n));
  }
  start();  // three workers, eight requests
  assign({0});
  EXPECT_TRUE(started(2));
  EXPECT_TRUE(cluster_.eventually([&] { return processor_metrics_.in_flight.Value() == 8; }));
  for (int n = 0; n < 30; ++n) desk_.release(request_of(n));
  EXPECT_TRUE(committed_reaches(30));
  stop();
  expect_each_once(30);
}

TEST_F(RunnerTest, ASlowRequestHoldsBackItsPartitionByAWindowAndOthersNotAtAll) {
  desk_.hold(request_of(0));
  for (int n = 0; n < 40; ++n) append(upload(n), 0);
  for (int n = 40; n < 60; ++n) append(upload(n), 1);
  start();  // a window of 16, passed by less than the 8 of one poll
  assign({0, 1});
  EXPECT_TRUE(committed_reaches(20, 1));
  EXPECT_TRUE(started(15));
  EXPECT_TRUE(
      cluster_.eventually([&] { return processor_metrics_.paused_partitions.Value() == 1.0; }));
  // Told at the end of a turn, in which the other partition may have had some too.
  EXPECT_TRUE(cluster_.eventually([&] {
    const double in_flight = processor_metrics_.in_flight.Value();
    return in_flight >= 16 && in_flight < 24;
  }));
  EXPECT_EQ(desk_.started(request_of(24)), 0);
  EXPECT_EQ(cluster_.committed(0), -1);
  desk_.release(request_of(0));
  EXPECT_TRUE(committed_reaches(40, 0));
  stop();
  expect_each_once(60);
}

TEST_F(RunnerTest, APartitionWhoseWorkIsPutOffIsNotReadOn) {
  desk_.fail_first(request_of(0), 1'000);
  append(upload(0), 0);
  start();
  assign({0, 1});
  EXPECT_TRUE(cluster_.eventually([&] { return processor_metrics_.retries.Value() >= 2; }));
  for (int n = 1; n < 20; ++n) append(upload(n), 0);
  for (int n = 20; n < 40; ++n) append(upload(n), 1);
  EXPECT_TRUE(committed_reaches(20, 1));
  EXPECT_TRUE(
      cluster_.eventually([&] { return processor_metrics_.paused_partitions.Value() == 1.0; }));
  EXPECT_EQ(desk_.started(request_of(1)), 0);
  EXPECT_TRUE(cluster_.eventually([&] { return lag_of(0) == 20.0; }));
  desk_.fail_first(request_of(0), 0);
  EXPECT_TRUE(committed_reaches(20, 0));
  stop();
  expect_each_once(40);
}

TEST_F(RunnerTest, FinishedWorkWaitsForCompanyOnlyWhileThereIsSome) {
  options_.commit.linger = minutes(10);
  start();
  assign({0, 1});
  append(upload(0), 0);
  EXPECT_TRUE(committed_reaches(1, 0));  // alone
  desk_.hold(request_of(2));
  append(upload(2), 1);
  EXPECT_TRUE(started(2));
  append(upload(1), 0);
  EXPECT_TRUE(cluster_.eventually([&] { return desk_.finished(request_of(1)); }));
  EXPECT_EQ(cluster_.committed(0), 1);
  desk_.release(request_of(2));
  EXPECT_TRUE(committed_reaches(1, 1));
  EXPECT_TRUE(committed_reaches(2, 0));
  stop();
  EXPECT_THAT(cluster_.transactions(), ElementsAre(1, 2));
}

TEST_F(RunnerTest, FailedTransactionsAreTriedAgainWhateverTheyFailedOf) {
  cluster_.fail_next({kAborted, kAborted, kFatal, kUnknownAndNotCommitted, kUnknownAndCommitted,
                      kAborted, kUnknownAndCommitted, kFatal});
  start();
  assign({0});
  for (int n = 0; n < 40; ++n) {
    append(upload(n));
    if (n % 5 == 0) {
      EXPECT_TRUE(committed_reaches(n + 1));
    }
  }
  EXPECT_TRUE(committed_reaches(40));
  stop();
  expect_each_once(40);
  EXPECT_EQ(producers_made_, 6);  // one, and one for each that was spent
}

TEST_F(RunnerTest, PassingTroubleIsWaitedOutAndNothingIsCommittedPastIt) {
  desk_.fail_first(request_of(1), 3);
  desk_.hold(request_of(1));
  start();
  assign({0});
  for (int n = 0; n < 4; ++n) append(upload(n));
  EXPECT_TRUE(started(3));
  EXPECT_TRUE(committed_reaches(1));
  EXPECT_EQ(cluster_.committed(0), 1);
  desk_.release(request_of(1));
  EXPECT_TRUE(committed_reaches(4));
  EXPECT_EQ(desk_.started(request_of(1)), 4);
  EXPECT_EQ(processor_metrics_.retries.Value(), 3.0);
  stop();
  expect_each_once(4);
}

TEST_F(RunnerTest, ARevokedPartitionCommitsWhatIsFinishedAndDiscardsTheRest) {
  desk_.hold(request_of(1));
  start();
  assign({0});
  append(upload(0));
  append(upload(1));
  append(upload(2));
  EXPECT_TRUE(started(2));
  EXPECT_TRUE(committed_reaches(1));
  cluster_.rebalance({Rebalance::Kind::kRevoke, {0}});
  assign({0});
  EXPECT_TRUE(started(1, 2));  // again, under the new assignment; the old one is still at it
  desk_.release(request_of(1));
  EXPECT_TRUE(committed_reaches(3));
  stop();
  expect_each_once(3);
}

TEST_F(RunnerTest, ALostPartitionCommitsNothing) {
  desk_.hold(request_of(0));
  start();
  assign({0, 1});
  append(upload(0), 0);
  append(upload(1), 1);
  EXPECT_TRUE(started(0));
  EXPECT_TRUE(committed_reaches(1, 1));
  cluster_.rebalance({Rebalance::Kind::kLose, {0}});
  append(upload(2), 1);
  EXPECT_TRUE(committed_reaches(2, 1));  // so the loss is through
  desk_.release(request_of(0));
  append(upload(3), 1);
  EXPECT_TRUE(committed_reaches(3, 1));
  EXPECT_EQ(cluster_.committed(0), -1);
  assign({0});
  EXPECT_TRUE(committed_reaches(1, 0));
  stop();
  expect_each_once(4);
}

TEST_F(RunnerTest, RepeatsAreDroppedInOneBatchAndInLaterOnes) {
  start();
  append(upload(0));
  append(upload(0));
  assign({0});
  EXPECT_TRUE(committed_reaches(2));
  append(upload(0));
  append(upload(1));
  EXPECT_TRUE(committed_reaches(4));
  stop();
  expect_each_once(2);
}

TEST_F(RunnerTest, RepeatsAreDroppedAcrossARestart) {
  start();
  assign({0});
  append(upload(0));
  EXPECT_TRUE(committed_reaches(1));
  stop();
  append(upload(0), 0, kNoon + minutes(10));
  append(upload(1), 0, kNoon + minutes(10));
  start();
  assign({0});
  EXPECT_TRUE(committed_reaches(3));
  stop();
  expect_each_once(2);
}

TEST_F(RunnerTest, AnOldRequestMayBeMadeAgain) {
  append(upload(0));
  append(upload(0), 0, kNoon + minutes(16));
  start();
  assign({0});
  EXPECT_TRUE(committed_reaches(2));
  stop();
  EXPECT_THAT(terminals(), SizeIs(2));
}

TEST_F(RunnerTest, ADeletionWaitsUntilEarlierWorkIsCommitted) {
  cluster_.fail_next({kAborted, kAborted, kAborted});
  start();
  append(upload(0));
  append(requested(image_id(0), request_id(5)));
  append(deleted(image_id(0), request_id(6)));
  append(upload(1));
  desk_.hold(request_of(0));
  assign({0});
  EXPECT_TRUE(started(1));
  EXPECT_EQ(desk_.started(request_id(6)), 0);
  desk_.release(request_of(0));
  EXPECT_TRUE(cluster_.eventually([&] { return desk_.started(request_id(6)) > 0; }));
  EXPECT_GE(cluster_.committed(0), 2);
  EXPECT_TRUE(committed_reaches(4));
  stop();
  EXPECT_THAT(terminals(), ElementsAre(terminal_of(request_of(0)), terminal_of(request_id(5)),
                                       terminal_of(request_of(1))));
}

TEST_F(RunnerTest, APoisonRecordIsPutAside) {
  start();
  append(upload(0));
  cluster_.append(kInput, 0, poison(), kNoon);
  append(upload(1));
  assign({0});
  EXPECT_TRUE(committed_reaches(3));
  stop();
  expect_each_once(2);
  const auto letters = cluster_.records("t.image-requests-dlq");
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].value, "not an event");
  EXPECT_EQ(header_of(letters[0].headers, "__connect.errors.offset"), "1");
}

TEST_F(RunnerTest, AStopCommitsWhatIsFinishedAndHandsBackTheRest) {
  desk_.hold(request_of(1));
  start();
  assign({0});
  append(upload(0));
  append(upload(1));
  EXPECT_TRUE(started(1));
  EXPECT_TRUE(committed_reaches(1));
  stop_.request_stop();
  desk_.release(request_of(1));
  stop();
  EXPECT_TRUE(ended_);
  start();
  assign({0});
  EXPECT_TRUE(committed_reaches(2));
  stop();
  expect_each_once(2);
}

// A member that was killed has left a transaction open: where the group stands is not known for as
// long as the broker lets it be.
TEST_F(RunnerTest, AStopDoesNotWaitToBeToldWhereTheGroupStands) {
  options_.commit.committed_timeout = std::chrono::hours(1);
  cluster_.withhold_committed();
  start();
  assign({0});
  EXPECT_TRUE(cluster_.eventually([&] { return cluster_.committed_awaited(); }));
  stop();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(consumers_made_, 1);
  EXPECT_THAT(cluster_.violations(), IsEmpty());
}

TEST_F(RunnerTest, WithoutAnOffsetButWithOutputsItEnds) {
  cluster_.append("t.thumbnail-completed", 0, poison(), kNoon);
  start();
  assign({0});
  thread_.join();
  ASSERT_FALSE(ended_);
  EXPECT_EQ(ended_.error().code, "group-offset-missing");
  EXPECT_FALSE(runner_->ready());
}

TEST_F(RunnerTest, ABrokenConsumerIsReplacedAndNothingIsDoubled) {
  start();
  assign({0});
  append(upload(0));
  EXPECT_TRUE(committed_reaches(1));
  cluster_.break_consumer();
  EXPECT_TRUE(cluster_.eventually([&] { return consumers_made_ == 2; }));
  assign({0});
  append(upload(1));
  EXPECT_TRUE(committed_reaches(2));
  stop();
  expect_each_once(2);
}

}  // namespace
}  // namespace thumb
