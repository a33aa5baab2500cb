// Members of a group share the partitions, and let go of them in order.
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "kafka_fixture.h"

namespace thumb::kafka {
namespace {

using testing::IsEmpty;

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

// Nothing between may be lost, nothing come twice, whatever had been fetched ahead at a pause.
TEST_F(GroupTest, APausedPartitionIsReadOnWhereItStood) {
  constexpr int kEach = 300;
  for (std::int32_t p = 0; p < 4; ++p) fill(topic_, p, kEach);
  Recorder listener;
  const auto consumer = member(listener);
  std::map<std::int32_t, std::int64_t> next;
  unsigned paused = 0;  // bit p: partition p
  unsigned turn = 0;
  ASSERT_TRUE(eventually([&] {
    paused = (turn++ * 7U) & 15U;
    if (turn % 5 == 0) paused = 0;
    std::vector<TopicPartition> wanted;
    for (std::int32_t p = 0; p < 4; ++p) {
      if ((paused >> static_cast<unsigned>(p) & 1U) != 0) wanted.push_back({topic_, p});
    }
    consumer->pause_only(wanted);
    const auto records = consumer->poll(13, milliseconds(30)).value();
    for (const auto& record : records) {
      const auto partition = record.position.partition;
      EXPECT_EQ(paused >> static_cast<unsigned>(partition) & 1U, 0U);
      EXPECT_EQ(record.position.offset, next[partition]++);
    }
    return std::ranges::all_of(std::array{0, 1, 2, 3}, [&](int p) { return next[p] == kEach; });
  }));
}

TEST_F(GroupTest, APauseEndsWithItsAssignment) {
  fill(topic_, 0, 1);
  Recorder listener;
  auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  const std::array all = {TopicPartition{topic_, 0}, TopicPartition{topic_, 1},
                          TopicPartition{topic_, 2}, TopicPartition{topic_, 3}};
  consumer->pause_only(all);
  Recorder other_listener;
  auto other = std::make_unique<RunningMember>(member(other_listener), other_listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 2));
  other.reset();
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  for (std::int32_t p = 0; p < 4; ++p) fill(topic_, p, 1);
  std::set<std::int32_t> seen;
  // Two partitions came back, and are read; two were kept, and still are not.
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(10, milliseconds(50)).value();
    for (const auto& record : records) {
      seen.insert(record.position.partition);
    }
    return seen.size() == 2;
  }));
  consumer->pause_only({});
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(10, milliseconds(50)).value();
    for (const auto& record : records) {
      seen.insert(record.position.partition);
    }
    return seen.size() == 4;
  }));
}

TEST_F(GroupTest, ALoneMemberReadsEverythingInOrder) {
  for (std::int32_t p = 0; p < 4; ++p) fill(topic_, p, 100);
  Recorder listener;
  const auto consumer = member(listener);
  std::map<std::int32_t, std::int64_t> next;
  int seen = 0;
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(30, milliseconds(100)).value();
    for (const auto& record : records) {
      EXPECT_EQ(record.position.offset, next[record.position.partition]++);
      ++seen;
    }
    return seen == 400;
  }));
  EXPECT_EQ(listener.owns(), 4U);
}

TEST_F(GroupTest, PollNeverExceedsItsMaximum) {
  fill(topic_, 0, 500);
  Recorder listener;
  const auto consumer = member(listener);
  std::size_t seen = 0;
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(7, milliseconds(100)).value();
    EXPECT_LE(records.size(), 7U);
    seen += records.size();
    return seen == 500;
  }));
}

TEST_F(GroupTest, ASecondMemberTakesOverOnlyItsShare) {
  Recorder first_listener;
  RunningMember first(member(first_listener), first_listener);
  ASSERT_TRUE(eventually([&] { return first_listener.owns() == 4; }));
  Recorder second_listener;
  RunningMember second(member(second_listener), second_listener);
  ASSERT_TRUE(
      eventually([&] { return first_listener.owns() == 2 && second_listener.owns() == 2; }));
  EXPECT_EQ(first_listener.revoked, 2U);  // cooperative: the other two were kept throughout
  EXPECT_EQ(first_listener.lost, 0U);

  second.stop();
  EXPECT_EQ(second_listener.owns(), 0U);
  EXPECT_EQ(second_listener.revoked, 2U);
  EXPECT_TRUE(eventually([&] { return first_listener.owns() == 4; }));
}

TEST_F(GroupTest, ReadingGoesOnThroughRebalances) {
  constexpr int kEach = 300;
  Recorder first_listener;
  Recorder second_listener;
  RunningMember first(member(first_listener), first_listener);
  ASSERT_TRUE(eventually([&] { return first_listener.owns() == 4; }));
  std::jthread writer([&] {
    for (std::int32_t p = 0; p < 4; ++p) fill(topic_, p, kEach);
  });
  RunningMember second(member(second_listener), second_listener);
  writer.join();
  std::set<LogPosition> seen;
  ASSERT_TRUE(eventually([&] {
    for (auto* member : {&first, &second}) {
      for (const auto& position : member->positions()) seen.insert(position);
    }
    return seen.size() == 4 * kEach;
  }));
}

TEST_F(GroupTest, NothingIsCommittedByItself) {
  fill(topic_, 0, 10);
  {
    Recorder listener;
    const auto consumer = member(listener);
    std::size_t seen = 0;
    ASSERT_TRUE(eventually([&] {
      seen += consumer->poll(100, milliseconds(100)).value().size();
      return seen == 10;
    }));
    consumer->close();
  }
  Recorder listener;
  const auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  const std::vector<TopicPartition> partitions = {{topic_, 0}, {topic_, 3}};
  const auto offsets = consumer->committed(partitions, kPatience).value();
  ASSERT_EQ(offsets.size(), 2U);
  EXPECT_EQ(offsets[0], (PartitionOffset{{topic_, 0}, -1}));
  EXPECT_EQ(offsets[1], (PartitionOffset{{topic_, 3}, -1}));
}

TEST_F(GroupTest, APartitionWithoutAStartIsNeverRead) {
  for (std::int32_t p = 0; p < 4; ++p) fill(topic_, p, 50);
  Recorder listener;
  listener.starts = [](std::span<const TopicPartition> partitions) {
    std::vector<PartitionOffset> some;
    for (const auto& tp : partitions) {
      if (tp.partition == 1) some.push_back({tp, 20});
      if (tp.partition == 2) some.push_back({tp, -1});
    }
    return Result<std::vector<PartitionOffset>>(some);
  };
  const auto consumer = member(listener);
  std::vector<InRecord> records;
  ASSERT_TRUE(eventually([&] {
    auto polled = consumer->poll(100, milliseconds(100)).value();
    std::ranges::move(polled, std::back_inserter(records));
    return records.size() >= 30;
  }));
  // Whatever else would come comes with the next fetches.
  for (int i = 0; i < 10; ++i) {
    auto polled = consumer->poll(100, milliseconds(50)).value();
    std::ranges::move(polled, std::back_inserter(records));
  }
  EXPECT_EQ(records.size(), 30U);
  for (const auto& record : records) EXPECT_EQ(record.position.partition, 1);
  EXPECT_EQ(records.front().position.offset, 20);
}

TEST_F(GroupTest, AListenersErrorEndsTheConsumer) {
  Recorder listener;
  listener.starts = [](std::span<const TopicPartition>) -> Result<std::vector<PartitionOffset>> {
    return fail(ErrorKind::kConflict, "no-start", "no position to start from");
  };
  const auto consumer = member(listener);
  std::optional<Error> error;
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(10, milliseconds(100));
    if (!records) error = records.error();
    return error.has_value();
  }));
  EXPECT_EQ(error->code, "no-start");
  EXPECT_EQ(error->retry, Retry::kFatal);
  EXPECT_FALSE(consumer->poll(10, milliseconds(1)));
}

TEST_F(GroupTest, AnOffsetTheLogDoesNotHoldIsFatal) {
  Recorder listener;
  listener.starts = [](std::span<const TopicPartition> partitions) {
    return Result<std::vector<PartitionOffset>>({{partitions[0], 12'345}});
  };
  const auto consumer = member(listener);
  std::optional<Error> error;
  ASSERT_TRUE(eventually([&] {
    const auto records = consumer->poll(10, milliseconds(100));
    if (!records) error = records.error();
    return error.has_value();
  }));
  EXPECT_EQ(error->code, "offset-out-of-range");
  EXPECT_EQ(error->retry, Retry::kFatal);
}

TEST_F(GroupTest, WakeEndsAWait) {
  Recorder listener;
  const auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  ASSERT_TRUE(consumer->poll(10, milliseconds(200)));  // what is left of the join
  std::jthread waker([&] {
    std::this_thread::yield();
    consumer->wake();
  });
  // An hour: without the wake the test would time out.
  EXPECT_THAT(consumer->poll(10, std::chrono::hours(1)).value(), IsEmpty());
}

TEST_F(GroupTest, AWakeBeforeTheWaitIsNotLost) {
  Recorder listener;
  const auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  for (int i = 0; i < 100; ++i) {
    consumer->wake();
    EXPECT_THAT(consumer->poll(10, std::chrono::hours(1)).value(), IsEmpty());
  }
}

TEST_F(GroupTest, ARecordEndsAWait) {
  Recorder listener;
  const auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  std::jthread writer([&] { fill(topic_, 2, 1); });
  std::vector<InRecord> records;
  while (records.empty()) records = consumer->poll(10, std::chrono::hours(1)).value();
  EXPECT_EQ(records[0].position, (LogPosition{2, 0}));
}

TEST_F(GroupTest, CloseLeavesAtOnceThroughOnRevoked) {
  Recorder listener;
  auto consumer = member(listener);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  consumer->close();
  EXPECT_EQ(listener.owns(), 0U);
  EXPECT_EQ(listener.revoked, 4U);
  EXPECT_EQ(listener.lost, 0U);
  EXPECT_FALSE(consumer->poll(1, milliseconds(1)));
  consumer->wake();
  consumer.reset();
  EXPECT_EQ(listener.revocations, 1);
}

// What the processor does when it lets go: the finished prefix is still accepted.
TEST_F(GroupTest, ARevokedPartitionCanStillBeCommitted) {
  TransactionOptions options;
  options.transactional_id = unique("txn");
  const auto producer = make_transactional_producer(cluster(), options, log_).value();
  Recorder first;
  std::unique_ptr<GroupConsumer> consumer;
  first.before_revocation = [&](std::span<const TopicPartition> partitions) {
    std::vector<PartitionOffset> offsets;
    for (const auto& tp : partitions) offsets.push_back({tp, 7});
    const auto group = consumer->group_metadata();
    ASSERT_TRUE(group);
    const auto done = producer->commit_batch({}, offsets, **group);
    EXPECT_TRUE(done) << done.error().detail;
  };
  consumer = member(first);
  ASSERT_TRUE(poll_until_owning(*consumer, first, 4));
  Recorder second;
  const auto successor = member(second);
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(consumer->poll(10, milliseconds(20)));
    EXPECT_TRUE(successor->poll(10, milliseconds(20)));
    return first.owns() == 2 && second.owns() == 2;
  }));
  consumer->close();  // and the other two on leaving
  ASSERT_TRUE(poll_until_owning(*successor, second, 4));
  const std::vector<TopicPartition> all(second.owned.begin(), second.owned.end());
  const auto offsets = successor->committed(all, kPatience).value();
  for (const auto& [tp, offset] : offsets) {
    EXPECT_EQ(offset, 7) << tp.partition;
  }
}

// The broker takes a transaction's offsets without a generation unchecked.
TEST_F(GroupTest, BeforeItHasJoinedThereIsNothingToCommitWith) {
  Recorder listener;
  const auto consumer = member(listener);
  const auto metadata = consumer->group_metadata();
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().code, "not-in-group");
  EXPECT_EQ(metadata.error().retry, Retry::kBackoff);
  ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  EXPECT_TRUE(consumer->group_metadata());
}

TEST_F(GroupTest, CloseEndsEvenWhileOthersKeepWaking) {
  for (int round = 0; round < 5; ++round) {
    Recorder listener;
    const auto consumer = member(listener);
    ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
    std::jthread waker([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) consumer->wake();
    });
    consumer->close();
    waker.request_stop();
    waker.join();
    EXPECT_EQ(listener.owns(), 0U);
    EXPECT_EQ(listener.revoked, 4U);
  }
}

// Between joining the group and the first assignment librdkafka before 2.3 can't be destroyed.
TEST_F(GroupTest, ClosesWhileItIsStillJoining) {
  for (int round = 0; round < 10; ++round) {
    group_ = unique("group");
    Recorder listener;
    const auto consumer = member(listener);
    ASSERT_TRUE(eventually([&] { return consumer->group_metadata().has_value(); }));
    consumer->close();
    EXPECT_EQ(listener.owns(), 0U);
  }
}

TEST_F(GroupTest, TheDestructorClosesToo) {
  Recorder listener;
  {
    const auto consumer = member(listener);
    ASSERT_TRUE(poll_until_owning(*consumer, listener, 4));
  }
  EXPECT_EQ(listener.revoked, 4U);
}

TEST_F(GroupTest, AMemberThatDoesNotPollInTimeLosesItsPartitions) {
  Recorder slow;
  const auto consumer = make_group_consumer(cluster(),
                                            {.group_id = group_,
                                             .topic = topic_,
                                             .session_timeout = milliseconds(6'000),
                                             .max_poll_interval = milliseconds(6'000)},
                                            slow, log_)
                            .value();
  ASSERT_TRUE(poll_until_owning(*consumer, slow, 4));
  Recorder quick;
  RunningMember other(member(quick), quick);
  // Meanwhile the slow one does not poll: the group takes its partitions away.
  ASSERT_TRUE(eventually([&] { return quick.owns() == 4; }));
  EXPECT_EQ(slow.owns(), 4U);  // it has not been told yet
  const auto metadata = consumer->group_metadata();
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().code, "not-in-group");
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(consumer->poll(10, milliseconds(50)));
    return slow.lost == 4;
  }));
  EXPECT_EQ(slow.revoked, 0U);
  // And it comes back into the group.
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(consumer->poll(10, milliseconds(50)));
    return slow.owns() == 2 && quick.owns() == 2;
  }));
}

TEST_F(GroupTest, WithoutABrokerItWaitsAndCloses) {
  Recorder listener;
  const auto consumer = make_group_consumer({kNobody, "thumb-test", {}},
                                            {.group_id = group_, .topic = topic_}, listener, log_);
  ASSERT_TRUE(consumer);
  EXPECT_THAT((*consumer)->poll(10, milliseconds(300)).value(), IsEmpty());
  const std::vector<TopicPartition> partitions = {{topic_, 0}};
  const auto offsets = (*consumer)->committed(partitions, milliseconds(300));
  ASSERT_FALSE(offsets);
  EXPECT_EQ(offsets.error().retry, Retry::kBackoff);
  (*consumer)->close();
  EXPECT_EQ(listener.revocations, 0);
}

}  // namespace
}  // namespace thumb::kafka
