// Members of a group for tests: one that is polled by hand, one that polls on a thread of its own,
// and a listener that writes down what they are told.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kafka_fixture.h"

namespace thumb::kafka {

// Writes down what it is told; starts every partition at its first offset unless told otherwise.
class Recorder final : public RebalanceListener {
 public:
  std::function<Result<std::vector<PartitionOffset>>(std::span<const TopicPartition>)> starts =
      [](std::span<const TopicPartition> partitions) {
        std::vector<PartitionOffset> all;
        for (const auto& tp : partitions) all.push_back({tp, 0});
        return Result<std::vector<PartitionOffset>>(all);
      };

  std::function<void(std::span<const TopicPartition>)> before_revocation =
      [](std::span<const TopicPartition>) {};

  Result<std::vector<PartitionOffset>> on_assigned(
      std::span<const TopicPartition> partitions) override {
    {
      const std::lock_guard lock(mutex);
      thread = std::this_thread::get_id();
      for (const auto& tp : partitions) EXPECT_TRUE(owned.insert(tp).second) << tp.partition;
    }
    return starts(partitions);
  }
  void on_revoked(std::span<const TopicPartition> partitions) override {
    before_revocation(partitions);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(std::this_thread::get_id(), thread);
    ++revocations;
    revoked += partitions.size();
    for (const auto& tp : partitions) EXPECT_EQ(owned.erase(tp), 1U) << tp.partition;
  }
  void on_lost(std::span<const TopicPartition> partitions) override {
    const std::lock_guard lock(mutex);
    lost += partitions.size();
    for (const auto& tp : partitions) owned.erase(tp);
  }

  std::size_t owns() {
    const std::lock_guard lock(mutex);
    return owned.size();
  }

  std::mutex mutex;
  std::thread::id thread;
  std::set<TopicPartition> owned;
  std::size_t revoked = 0;
  std::size_t lost = 0;
  int revocations = 0;
};

class GroupTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (HasFatalFailure()) return;
    topic_ = make_topic(4);
    group_ = unique("group");
  }

  std::unique_ptr<GroupConsumer> member(RebalanceListener& listener) {
    return make_group_consumer(cluster(), {.group_id = group_, .topic = topic_}, listener, log_)
        .value();
  }

  // Polls until the listener owns as many partitions.
  static bool poll_until_owning(GroupConsumer& consumer, Recorder& listener, std::size_t count) {
    return eventually([&] {
      EXPECT_TRUE(consumer.poll(100, milliseconds(50)));
      return listener.owns() == count;
    });
  }

  std::string topic_;
  std::string group_;
};

// A member that polls on a thread of its own.
class RunningMember {
 public:
  explicit RunningMember(std::unique_ptr<GroupConsumer> consumer, Recorder& listener)
      : listener_(listener), consumer_(std::move(consumer)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~RunningMember() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    consumer_->wake();
    thread_.join();
  }
  std::size_t seen() {
    const std::lock_guard lock(mutex_);
    return positions_.size();
  }
  std::vector<LogPosition> positions() {
    const std::lock_guard lock(mutex_);
    return positions_;
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto records = consumer_->poll(10, milliseconds(100));
      EXPECT_TRUE(records);
      if (!records) break;
      const std::lock_guard lock(mutex_);
      for (const auto& record : *records) {
        // Never one of a partition that was let go of before the poll returned.
        EXPECT_TRUE(listener_.owned.contains({record.topic, record.position.partition}));
        positions_.push_back(record.position);
      }
    }
    consumer_->close();
  }

  Recorder& listener_;
  std::unique_ptr<GroupConsumer> consumer_;
  std::mutex mutex_;
  std::vector<LogPosition> positions_;
  std::jthread thread_;
};

}  // namespace thumb::kafka
