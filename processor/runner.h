// The loop of the processor: read, work, commit; see "how exactly-once holds" in ARCHITECTURE.md.
//
// One thread polls, commits and keeps the books; workers decode. A transaction opens only when its
// results are at hand. Without load an image is not kept waiting for company; under load everything
// that finished during a transaction goes into the next one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "kafka/consumer.h"
#include "platform/log.h"
#include "processor/committer.h"
#include "processor/partition_lag.h"
#include "processor/processor_metrics.h"
#include "processor/start_finder.h"
#include "processor/work_table.h"
#include "processor/workshop.h"

namespace thumb {

struct RunnerOptions {
  std::size_t workers = 2;       // requests handled at once
  std::size_t max_in_work = 64;  // requests read and not finished
  // Records of one partition read and not committed: how far it runs ahead of its slowest request.
  // Passed by one poll at most.
  std::size_t partition_window = 256;
  std::chrono::milliseconds poll_wait{500};
  std::chrono::milliseconds revoke_limit{2'000};  // for the last commit of a partition that goes
  Backoff work_backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(30'000)};
  CommitterOptions commit;
};

class Runner final : private kafka::RebalanceListener {
 public:
  struct Ports {
    std::function<Result<std::unique_ptr<kafka::GroupConsumer>>(kafka::RebalanceListener&)>
        make_consumer;
    Committer::MakeProducer make_producer;
    Workshop::Handle handle;
    StartFinder& starts;
    RandomBytes random;
    Log& log;
    ProcessorMetrics& metrics;
    PartitionLag& lag;
  };

  // REQUIRES: what `ports` refers to outlives it.
  Runner(Ports ports, const TopicNames& names, RunnerOptions options);
  ~Runner() override;

  // Until `stop`, then commits what is finished, leaves the group and returns success. What is not
  // finished is handed back. Errors: what an operator must mend ("group-offset-missing",
  // "offset-out-of-range", "record-too-large").
  [[nodiscard]] Result<void> run(const std::stop_token& stop);

  // From any thread: the group is joined and nothing refuses to start.
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  Result<std::vector<kafka::PartitionOffset>> on_assigned(
      std::span<const kafka::TopicPartition> partitions) override;
  void on_revoked(std::span<const kafka::TopicPartition> partitions) override;
  void on_lost(std::span<const kafka::TopicPartition> partitions) override;

  [[nodiscard]] Result<void> turn();
  [[nodiscard]] Result<void> open_consumer();
  [[nodiscard]] Result<void> read();
  void pause(std::span<const std::int32_t> partitions);
  [[nodiscard]] Result<void> consumer_failed(const Error& error);
  void close_consumer();
  void collect();
  void resume_due();
  void dispatch();
  void drop(std::span<const kafka::TopicPartition> partitions);
  [[nodiscard]] std::chrono::milliseconds until_due() const;

  // Ends the loop's wait, wherever it waits.
  void wake();
  void wait(std::chrono::milliseconds limit);

  Ports ports_;
  RunnerOptions options_;
  WorkTable table_;
  Committer committer_;

  std::mutex wake_mutex_;
  std::condition_variable wake_signal_;
  bool woken_ = false;
  kafka::GroupConsumer* wake_target_ = nullptr;

  std::stop_token stop_;  // of run()
  std::unique_ptr<kafka::GroupConsumer> consumer_;
  std::optional<Error> refusal_;  // by on_assigned: no other consumer would do better
  unsigned consumer_failures_ = 0;
  Deadline consumer_not_before_{};
  Deadline next_service_{};  // of the group, while there is no room for records
  std::multimap<Deadline, Ticket> postponed_;
  std::atomic<bool> ready_{false};
  Workshop workshop_;  // last: its threads call wake()
};

}  // namespace thumb
