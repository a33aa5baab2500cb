// A cluster in memory behind the ports of kafka/: partitions, group offsets, all-or-nothing
// transactions, rebalances on demand, and the ways in which a transaction can fail.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "kafka/transactional_producer.h"

namespace thumb::testing {

// How the next transaction goes.
enum class TransactionFault {
  kAborted,                // back off: nothing of it is visible
  kFatal,                  // fenced: nothing of it is visible
  kUnknownAndCommitted,    // fatal time-out, although it took effect
  kUnknownAndNotCommitted  // fatal time-out, and it did not
};

// A change of the assignment, carried out within the next poll.
struct Rebalance {
  enum class Kind { kAssign, kRevoke, kLose } kind = Kind::kAssign;
  std::vector<std::int32_t> partitions;
};

// Thread-safe.
class FakeCluster {
 public:
  explicit FakeCluster(std::string input_topic) : input_topic_(std::move(input_topic)) {}

  std::int64_t append(const std::string& topic, std::int32_t partition, const OutRecord& record,
                      TimeMs timestamp);
  // An offset that no reader sees, as of a control record.
  void skip_offset(const std::string& topic, std::int32_t partition);
  [[nodiscard]] std::vector<InRecord> records(const std::string& topic) const;

  void set_committed(std::int32_t partition, std::int64_t offset);
  [[nodiscard]] std::int64_t committed(std::int32_t partition) const;
  // The transactions that took effect: how many outputs each held.
  [[nodiscard]] std::vector<std::size_t> transactions() const;
  // What broke a rule of Kafka's; empty in a good run.
  [[nodiscard]] std::vector<std::string> violations() const;

  void fail_next(std::deque<TransactionFault> faults);
  void rebalance(Rebalance change);
  // The consumer ends with a fatal error at its next poll.
  void break_consumer();
  // As while a transaction is open: whoever asks for committed offsets waits. Whether one does.
  void withhold_committed();
  [[nodiscard]] bool committed_awaited() const;

  // True as soon as `condition` (called with the cluster unlocked) holds; false after a minute.
  [[nodiscard]] bool eventually(const std::function<bool()>& condition) const;

 private:
  friend class FakeGroupConsumer;
  friend class FakeTransactionalProducer;
  friend class FakeAdmin;
  friend class FakePartitionReader;

  struct Partition {
    std::vector<InRecord> records;
    std::int64_t end = 0;
  };

  // True if they may be told.
  [[nodiscard]] bool await_committed(std::chrono::milliseconds timeout,
                                     const std::stop_token& stop);
  // Stands for murmur2: outputs go to the partition number of the input with the same key.
  [[nodiscard]] std::int32_t partition_of_locked(const std::string& key) const;
  std::int64_t append_locked(const std::string& topic, std::int32_t partition,
                             const OutRecord& record, TimeMs timestamp);

  const std::string input_topic_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<kafka::TopicPartition, Partition> partitions_;
  std::map<std::int32_t, std::int64_t> committed_;
  std::set<std::int32_t> owned_;
  std::deque<Rebalance> rebalances_;
  std::deque<TransactionFault> faults_;
  std::vector<std::size_t> transactions_;
  std::vector<std::string> violations_;
  bool consumer_broken_ = false;
  bool committed_withheld_ = false;
  int awaiting_committed_ = 0;
};

class FakeGroupConsumer final : public kafka::GroupConsumer {
 public:
  FakeGroupConsumer(FakeCluster& cluster, kafka::RebalanceListener& listener)
      : cluster_(cluster), listener_(listener) {}
  ~FakeGroupConsumer() override { FakeGroupConsumer::close(); }

  Result<std::vector<InRecord>> poll(std::size_t max, std::chrono::milliseconds wait) override;
  void wake() override;
  void pause_only(std::span<const kafka::TopicPartition> partitions) override;
  Result<std::vector<kafka::PartitionOffset>> committed(
      std::span<const kafka::TopicPartition> partitions, std::chrono::milliseconds timeout,
      const std::stop_token& stop) override;
  Result<std::unique_ptr<kafka::GroupMetadata>> group_metadata() override;
  void close() override;

 private:
  [[nodiscard]] Result<void> apply(const Rebalance& change);
  [[nodiscard]] std::vector<InRecord> fetch_locked(std::size_t max);

  FakeCluster& cluster_;
  kafka::RebalanceListener& listener_;
  std::map<std::int32_t, std::int64_t> positions_;
  std::set<std::int32_t> paused_;
  bool woken_ = false;
  bool closed_ = false;
};

class FakeTransactionalProducer final : public kafka::TransactionalProducer {
 public:
  explicit FakeTransactionalProducer(FakeCluster& cluster) : cluster_(cluster) {}
  Result<void> commit_batch(std::span<const OutRecord> records,
                            std::span<const kafka::PartitionOffset> offsets,
                            const kafka::GroupMetadata& group) override;

 private:
  void apply_locked(std::span<const OutRecord> records,
                    std::span<const kafka::PartitionOffset> offsets);
  FakeCluster& cluster_;
  bool spent_ = false;
};

class FakeAdmin final : public kafka::Admin {
 public:
  explicit FakeAdmin(FakeCluster& cluster) : cluster_(cluster) {}
  Result<std::string> cluster_id(std::chrono::milliseconds) override { return "fake"; }
  Result<std::int32_t> partition_count(const std::string&, std::chrono::milliseconds) override {
    return 1;
  }
  Result<kafka::Watermarks> watermarks(const kafka::TopicPartition& tp,
                                       std::chrono::milliseconds timeout) override;
  Result<std::int64_t> offset_for_time(const kafka::TopicPartition& tp, TimeMs time,
                                       std::chrono::milliseconds timeout) override;

 private:
  FakeCluster& cluster_;
};

class FakePartitionReader final : public kafka::PartitionReader {
 public:
  explicit FakePartitionReader(FakeCluster& cluster) : cluster_(cluster) {}
  Result<void> assign(std::span<const kafka::PartitionOffset> starts) override;
  Result<kafka::ReadBatch> poll(std::size_t max, std::chrono::milliseconds wait) override;

 private:
  FakeCluster& cluster_;
  std::vector<kafka::PartitionOffset> positions_;
};

// Remembers what was produced; succeeds, or fails if told to.
class FakeProducer final : public kafka::Producer {
 public:
  void produce(OutRecord record, Done done) override;
  void fail(bool failing);
  [[nodiscard]] std::vector<OutRecord> produced() const;

 private:
  mutable std::mutex mutex_;
  std::vector<OutRecord> produced_;
  bool failing_ = false;
};

}  // namespace thumb::testing
