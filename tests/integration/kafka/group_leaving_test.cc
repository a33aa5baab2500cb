// Members of a group let go of their partitions in order: by closing, by a rebalance, by silence.
#include <algorithm>
#include <thread>

#include "group_fixture.h"

namespace thumb::kafka {
namespace {

using testing::IsEmpty;

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
  const auto offsets = successor->committed(all, kPatience, {}).value();
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
  const auto offsets = (*consumer)->committed(partitions, milliseconds(300), {});
  ASSERT_FALSE(offsets);
  EXPECT_EQ(offsets.error().retry, Retry::kBackoff);
  // An hour: the test would time out if the wait did not heed the stop.
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE((*consumer)->committed(partitions, std::chrono::hours(1), stop.get_token()));
  (*consumer)->close();
  EXPECT_EQ(listener.revocations, 0);
}

}  // namespace
}  // namespace thumb::kafka
