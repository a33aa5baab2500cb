// The loop on a cluster in memory, with a desk for a handler: what the runner's tests stand on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "processor/runner.h"
#include "tests/support/fake_kafka.h"
#include "tests/unit/processor/request_records.h"

namespace thumb::testing {

// Stands for the handler: finishes at once, unless a request is held or told to fail for a while.
class Desk {
 public:
  Result<Outcome> handle(const Work& work, unsigned attempt) {
    const auto& base = base_of(work);
    std::unique_lock lock(mutex_);
    started_.push_back(base.request_id);
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(60),
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
    options_.poll_wait = std::chrono::milliseconds(20);
    options_.revoke_limit = std::chrono::milliseconds(1'000);
    options_.work_backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(10)};
    options_.commit.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(10)};
  }

  void start() {
    runner_ = std::make_unique<Runner>(
        Runner::Ports{[this](kafka::RebalanceListener& listener)
                          -> Result<std::unique_ptr<kafka::GroupConsumer>> {
                        ++consumers_made_;
                        return std::make_unique<FakeGroupConsumer>(cluster_, listener);
                      },
                      [this]() -> Result<std::unique_ptr<kafka::TransactionalProducer>> {
                        ++producers_made_;
                        return std::make_unique<FakeTransactionalProducer>(cluster_);
                      },
                      [this](const Job& job) { return desk_.handle(*job.work, job.attempt); },
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
    EXPECT_THAT(cluster_.violations(), ::testing::IsEmpty());
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
  PartitionLag lag_{metrics_, admin_, lag_reader_, kInput, std::chrono::milliseconds(5)};
  std::atomic<int> consumers_made_{0};
  std::atomic<int> producers_made_{0};
  Result<void> ended_;
  std::stop_source stop_;
  std::unique_ptr<Runner> runner_;
  std::jthread thread_;
};

}  // namespace thumb::testing
