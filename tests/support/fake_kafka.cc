#include "tests/support/fake_kafka.h"
#include "tests/support/record_views.h"

#include <algorithm>
#include <utility>

namespace thumb::testing {

using kafka::PartitionOffset;
using kafka::TopicPartition;
using std::chrono::milliseconds;

std::int64_t FakeCluster::append(const std::string& topic, std::int32_t partition,
                                 const OutRecord& record, TimeMs timestamp) {
  const std::scoped_lock lock(mutex_);
  const std::int64_t offset = append_locked(topic, partition, record, timestamp);
  changed_.notify_all();
  return offset;
}

std::int64_t FakeCluster::append_locked(const std::string& topic, std::int32_t partition,
                                        const OutRecord& record, TimeMs timestamp) {
  Partition& log = partitions_[{topic, partition}];
  const std::int64_t offset = log.end++;
  log.records.push_back(
      {topic, {partition, offset}, timestamp, record.key, record.value, record.headers});
  return offset;
}

std::int32_t FakeCluster::partition_of_locked(const std::string& key) const {
  for (const auto& [tp, log] : partitions_) {
    if (tp.topic != input_topic_) continue;
    for (const auto& record : log.records) {
      if (record.key == key) return tp.partition;
    }
  }
  return 0;
}

void FakeCluster::skip_offset(const std::string& topic, std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  ++partitions_[{topic, partition}].end;
}

std::vector<InRecord> FakeCluster::records(const std::string& topic) const {
  const std::scoped_lock lock(mutex_);
  std::vector<InRecord> all;
  for (const auto& [tp, log] : partitions_) {
    if (tp.topic == topic) all.insert(all.end(), log.records.begin(), log.records.end());
  }
  return all;
}

void FakeCluster::set_committed(std::int32_t partition, std::int64_t offset) {
  const std::scoped_lock lock(mutex_);
  committed_[partition] = offset;
}

std::int64_t FakeCluster::committed(std::int32_t partition) const {
  const std::scoped_lock lock(mutex_);
  const auto found = committed_.find(partition);
  return found == committed_.end() ? -1 : found->second;
}

void FakeCluster::withhold_committed() {
  const std::scoped_lock lock(mutex_);
  committed_withheld_ = true;
}

bool FakeCluster::committed_awaited() const {
  const std::scoped_lock lock(mutex_);
  return awaiting_committed_ > 0;
}

bool FakeCluster::await_committed(milliseconds timeout, const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] {
    { const std::scoped_lock wait_for_waiter(mutex_); }
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  ++awaiting_committed_;
  changed_.wait_for(lock, timeout, [&] { return !committed_withheld_ || stop.stop_requested(); });
  --awaiting_committed_;
  return !committed_withheld_;
}

std::vector<std::size_t> FakeCluster::transactions() const {
  const std::scoped_lock lock(mutex_);
  return transactions_;
}

std::vector<std::string> FakeCluster::violations() const {
  const std::scoped_lock lock(mutex_);
  return violations_;
}

void FakeCluster::fail_next(std::deque<TransactionFault> faults) {
  const std::scoped_lock lock(mutex_);
  faults_ = std::move(faults);
}

void FakeCluster::rebalance(Rebalance change) {
  const std::scoped_lock lock(mutex_);
  rebalances_.push_back(std::move(change));
  changed_.notify_all();
}

void FakeCluster::break_consumer() {
  const std::scoped_lock lock(mutex_);
  consumer_broken_ = true;
  changed_.notify_all();
}

bool FakeCluster::eventually(const std::function<bool()>& condition) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, milliseconds(5));
  }
  return true;
}

Result<std::vector<InRecord>> FakeGroupConsumer::poll(std::size_t max, milliseconds wait) {
  std::optional<Rebalance> change;
  {
    std::unique_lock lock(cluster_.mutex_);
    const auto deadline = std::chrono::steady_clock::now() + wait;
    std::vector<InRecord> records;
    cluster_.changed_.wait_until(lock, deadline, [&] {
      if (woken_ || cluster_.consumer_broken_ || !cluster_.rebalances_.empty()) return true;
      records = fetch_locked(max);
      return !records.empty();
    });
    woken_ = false;
    if (std::exchange(cluster_.consumer_broken_, false)) {
      cluster_.owned_.clear();
      positions_.clear();
      return fail(ErrorKind::kUnavailable, "broken", "the consumer broke", {}, Retry::kFatal);
    }
    if (!records.empty()) return records;
    if (cluster_.rebalances_.empty()) return fetch_locked(max);
    change = std::move(cluster_.rebalances_.front());
    cluster_.rebalances_.pop_front();
  }
  if (auto applied = apply(*change); !applied) return Failure(applied.error());
  return std::vector<InRecord>();
}

Result<void> FakeGroupConsumer::apply(const Rebalance& change) {
  std::vector<TopicPartition> partitions;
  for (const auto number : change.partitions) partitions.push_back({cluster_.input_topic_, number});
  const bool lost = change.kind == Rebalance::Kind::kLose;
  if (change.kind == Rebalance::Kind::kAssign) {
    const auto starts = listener_.on_assigned(partitions);
    if (!starts) return Failure(starts.error());
    const std::scoped_lock lock(cluster_.mutex_);
    for (const auto& start : *starts) {
      positions_[start.tp.partition] = start.offset;
      cluster_.owned_.insert(start.tp.partition);
    }
    return {};
  }
  if (!lost) listener_.on_revoked(partitions);
  {
    const std::scoped_lock lock(cluster_.mutex_);
    for (const auto number : change.partitions) {
      positions_.erase(number);
      cluster_.owned_.erase(number);
    }
  }
  if (lost) listener_.on_lost(partitions);
  return {};
}

std::vector<InRecord> FakeGroupConsumer::fetch_locked(std::size_t max) {
  std::vector<InRecord> records;
  for (auto& [number, position] : positions_) {
    if (paused_.contains(number)) continue;
    const auto& log = cluster_.partitions_[{cluster_.input_topic_, number}];
    for (const auto& record : log.records) {
      if (records.size() >= max) return records;
      if (record.position.offset < position) continue;
      records.push_back(record);
      position = record.position.offset + 1;
    }
  }
  return records;
}

void FakeGroupConsumer::wake() {
  const std::scoped_lock lock(cluster_.mutex_);
  woken_ = true;
  cluster_.changed_.notify_all();
}

void FakeGroupConsumer::pause_only(std::span<const TopicPartition> partitions) {
  const std::scoped_lock lock(cluster_.mutex_);
  paused_.clear();
  for (const auto& tp : partitions) paused_.insert(tp.partition);
}

Result<std::vector<PartitionOffset>> FakeGroupConsumer::committed(
    std::span<const TopicPartition> partitions, milliseconds timeout, const std::stop_token& stop) {
  if (!cluster_.await_committed(timeout, stop)) {
    return fail_transient(ErrorKind::kTimeout, "injected", "withheld");
  }
  std::vector<PartitionOffset> offsets;
  for (const auto& tp : partitions) offsets.push_back({tp, cluster_.committed(tp.partition)});
  return offsets;
}

Result<std::unique_ptr<kafka::GroupMetadata>> FakeGroupConsumer::group_metadata() {
  return std::make_unique<kafka::GroupMetadata>();
}

void FakeGroupConsumer::close() {
  if (std::exchange(closed_, true)) return;
  Rebalance leave{Rebalance::Kind::kRevoke, {}};
  for (const auto& [number, position] : positions_) leave.partitions.push_back(number);
  if (!leave.partitions.empty()) (void)apply(leave);
}

Result<void> FakeTransactionalProducer::commit_batch(std::span<const OutRecord> records,
                                                     std::span<const PartitionOffset> offsets,
                                                     const kafka::GroupMetadata& /*group*/) {
  const std::scoped_lock lock(cluster_.mutex_);
  const auto fatal = [this](ErrorKind kind, std::string_view code) {
    spent_ = true;
    return fail(kind, code, "injected", {}, Retry::kFatal);
  };
  if (spent_) {
    cluster_.violations_.emplace_back("a spent producer was used again");
    return fatal(ErrorKind::kInternal, "spent");
  }
  if (cluster_.faults_.empty()) {
    apply_locked(records, offsets);
    return {};
  }
  const TransactionFault fault = cluster_.faults_.front();
  cluster_.faults_.pop_front();
  switch (fault) {
    case TransactionFault::kAborted:
      return fail_transient(ErrorKind::kUnavailable, "aborted", "injected");
    case TransactionFault::kFatal:
      return fatal(ErrorKind::kUnavailable, "fenced");
    case TransactionFault::kUnknownAndCommitted:
      apply_locked(records, offsets);
      return fatal(ErrorKind::kTimeout, "unknown");
    case TransactionFault::kUnknownAndNotCommitted:
      return fatal(ErrorKind::kTimeout, "unknown");
  }
  return {};
}

void FakeTransactionalProducer::apply_locked(std::span<const OutRecord> records,
                                             std::span<const PartitionOffset> offsets) {
  for (const auto& [tp, offset] : offsets) {
    if (!cluster_.owned_.contains(tp.partition)) {
      cluster_.violations_.push_back("offset of a partition that is not owned");
    }
    auto& committed = cluster_.committed_[tp.partition];
    if (offset < committed) cluster_.violations_.push_back("a committed offset went back");
    committed = offset;
  }
  for (const auto& record : records) {
    const auto partition = record.partition.value_or(cluster_.partition_of_locked(record.key));
    cluster_.append_locked(record.topic, partition, record, TimeMs());
  }
  cluster_.transactions_.push_back(records.size());
  cluster_.changed_.notify_all();
}

Result<kafka::Watermarks> FakeAdmin::watermarks(const TopicPartition& tp,
                                                milliseconds /*timeout*/) {
  const std::scoped_lock lock(cluster_.mutex_);
  return kafka::Watermarks{0, cluster_.partitions_[tp].end};
}

Result<std::int64_t> FakeAdmin::offset_for_time(const TopicPartition& tp, TimeMs time,
                                                milliseconds /*timeout*/) {
  const std::scoped_lock lock(cluster_.mutex_);
  const auto& log = cluster_.partitions_[tp];
  for (const auto& record : log.records) {
    if (record.timestamp >= time) return record.position.offset;
  }
  return log.end;
}

Result<void> FakePartitionReader::assign(std::span<const PartitionOffset> starts) {
  positions_.assign(starts.begin(), starts.end());
  return {};
}

Result<kafka::ReadBatch> FakePartitionReader::poll(std::size_t max, milliseconds /*wait*/) {
  const std::scoped_lock lock(cluster_.mutex_);
  std::vector<InRecord> records;
  std::vector<PartitionOffset> ends;
  for (auto& position : positions_) {
    const auto& log = cluster_.partitions_[position.tp];
    for (const auto& record : log.records) {
      if (record.position.offset < position.offset || records.size() >= max) continue;
      records.push_back(record);
      position.offset = record.position.offset + 1;
    }
    position.offset = std::max(position.offset, log.end);
    ends.push_back({position.tp, log.end});
  }
  return batch_of(std::move(records), std::move(ends));
}

void FakeProducer::produce(OutRecord record, Done done) {
  const std::scoped_lock lock(mutex_);
  if (failing_) {
    done(fail_transient(ErrorKind::kTimeout, "produce-timeout", "injected"));
    return;
  }
  produced_.push_back(std::move(record));
  done(LogPosition{0, static_cast<std::int64_t>(produced_.size()) - 1});
}

void FakeProducer::fail(bool failing) {
  const std::scoped_lock lock(mutex_);
  failing_ = failing;
}

std::vector<OutRecord> FakeProducer::produced() const {
  const std::scoped_lock lock(mutex_);
  return produced_;
}

}  // namespace thumb::testing
