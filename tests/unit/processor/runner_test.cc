// The loop with its threads, against a cluster in memory: exactly one terminal event per request
// through faults, rebalances, restarts.
#include "processor/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/support/fake_kafka.h"
#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum TransactionFault;

// Stands for the handler: finishes at once, unless a request is held or told to fail for a while.
class Desk {
 public:
  Result<Outcome> handle(const Work& work, unsigned attempt) {
    const auto& base = base_of(work);
    std::unique_lock lock(mutex_);
    started_.push_back(base.request_id);
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(20),
                      [&] { return !held_.contains(base.request_id); });
    if (attempt < failures_[base.request_id]) {
      return fail_transient(ErrorKind::kUnavailable, "io-error", "injected");
    }
    if (is_deletion(work)) return Outcome{Ending::kDeleted, {}};
    finished_.insert(base.request_id);
    const auto event = completed(base.image_id, base.request_id, work.position);
    return Outcome{Ending::kCompleted, {out_record(event)}};
  }

  void hold(const RequestId& request) {
    const std::scoped_lock lock(mutex_);
    held_.insert(request);
  }
  void release(const RequestId& request) {
    const std::scoped_lock lock(mutex_);
    held_.erase(request);
    changed_.notify_all();
  }
  void fail_first(const RequestId& request, unsigned times) {
    const std::scoped_lock lock(mutex_);
    failures_[request] = times;
  }
  [[nodiscard]] bool finished(const RequestId& request) const {
    const std::scoped_lock lock(mutex_);
    return finished_.contains(request);
  }
  [[nodiscard]] std::ptrdiff_t started(const RequestId& request) const {
    const std::scoped_lock lock(mutex_);
    return std::count(started_.begin(), started_.end(), request);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<RequestId> held_;
  std::set<RequestId> finished_;
  std::map<RequestId, unsigned> failures_;
  std::vector<RequestId> started_;
};

class RunnerTest : public ::testing::Test {
 protected:
  ~RunnerTest() override { stop(); }

  RunnerTest() {
    options_.workers = 3;
    options_.max_in_work = 8;
    options_.partition_window = 16;
    options_.poll_wait = milliseconds(20);
    options_.revoke_limit = milliseconds(1'000);
    options_.work_backoff = {milliseconds(1), milliseconds(10)};
    options_.commit.backoff = {milliseconds(1), milliseconds(10)};
  }

  void start() {
    runner_ = std::make_unique<Runner>(
        Runner::Ports{
            [this](kafka::RebalanceListener& listener)
                -> Result<std::unique_ptr<kafka::GroupConsumer>> {
              ++consumers_made_;
              return std::make_unique<FakeGroupConsumer>(cluster_, listener);
            },
            [this]() -> Result<std::unique_ptr<kafka::TransactionalProducer>> {
              ++producers_made_;
              return std::make_unique<FakeTransactionalProducer>(cluster_);
            },
            [this](const Work& work, unsigned attempt) { return desk_.handle(work, attempt); },
            starts_, system_random_bytes(), log_, processor_metrics_, lag_},
        kNames, options_);
    stop_ = std::stop_source();
    thread_ = std::jthread([this] { ended_ = runner_->run(stop_.get_token()); });
  }
  void stop() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
    runner_.reset();
  }

  void assign(std::vector<std::int32_t> partitions) {
    cluster_.rebalance({Rebalance::Kind::kAssign, std::move(partitions)});
  }
  std::int64_t append(const Event& event, std::int32_t partition = 0, TimeMs at = kNoon) {
    return cluster_.append(kInput, partition, out_record(event), at);
  }
  static ImageUploaded upload(int n) { return uploaded(image_id(static_cast<std::uint8_t>(n))); }
  static RequestId request_of(int n) {
    return upload_request_id(image_id(static_cast<std::uint8_t>(n)));
  }

  [[nodiscard]] bool committed_reaches(std::int64_t offset, std::int32_t partition = 0) {
    return cluster_.eventually([&] { return cluster_.committed(partition) >= offset; });
  }
  [[nodiscard]] double lag_of(int partition) {
    return metrics_
        .gauge("thumb_processor_lag_records", "", {{"partition", std::to_string(partition)}})
        .Value();
  }
  [[nodiscard]] bool started(int n, std::ptrdiff_t times = 1) {
    return cluster_.eventually([&] { return desk_.started(request_of(n)) >= times; });
  }
  // Event ids of thumbnail-completed, in order.
  [[nodiscard]] std::vector<std::string> terminals() const {
    std::vector<std::string> ids;
    for (const auto& record : cluster_.records("t.thumbnail-completed")) {
      ids.push_back(header_of(record.headers, "ce_id"));
    }
    return ids;
  }
  static std::string terminal_of(const RequestId& request) {
    return request.str() + ":thumbnail-completed";
  }
  void expect_each_once(int count) {
    std::multiset<std::string> expected;
    for (int n = 0; n < count; ++n) expected.insert(terminal_of(request_of(n)));
    const auto seen = terminals();
    EXPECT_EQ(std::multiset<std::string>(seen.begin(), seen.end()), expected);
    EXPECT_THAT(cluster_.violations(), IsEmpty());
  }

  RunnerOptions options_;
  FakeCluster cluster_{kInput};
  FakeAdmin admin_{cluster_};
  FakePartitionReader reader_{cluster_};
  SystemClock clock_;
  StartFinder starts_{kNames, admin_, reader_, clock_, {"t.processor", "localhost:9092"}};
  Desk desk_;
  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  ProcessorMetrics processor_metrics_{metrics_};
  FakePartitionReader lag_reader_{cluster_};
  PartitionLag lag_{metrics_, admin_, lag_reader_, kInput, milliseconds(5)};
  std::atomic<int> consumers_made_{0};
  std::atomic<int> producers_made_{0};
  Result<void> ended_;
  std::stop_source stop_;
  std::unique_ptr<Runner> runner_;
  std::jthread thread_;
};

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
  EXPECT_GE(processor_metrics_.in_flight.Value(), 16);
  EXPECT_LT(processor_metrics_.in_flight.Value(), 24);
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
  EXPECT_EQ(processor_metrics_.paused_partitions.Value(), 1.0);
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
