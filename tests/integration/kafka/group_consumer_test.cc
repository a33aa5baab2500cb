// Members of a group share the partitions, and read each where it stands.
#include <algorithm>
#include <thread>

#include "group_fixture.h"

namespace thumb::kafka {
namespace {

using testing::IsEmpty;

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
  constexpr std::size_t kEach = 300;
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
  const auto offsets = consumer->committed(partitions, kPatience, {}).value();
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

}  // namespace
}  // namespace thumb::kafka
