// Replay reads every committed record once, in order, and knows where the end is.
#include <algorithm>

#include "kafka_fixture.h"

namespace thumb::kafka {
namespace {

class ReaderTest : public KafkaTest {
 protected:
  std::unique_ptr<PartitionReader> reader() {
    return make_partition_reader(cluster(), {}, log_).value();
  }

  // Polls until there is an error.
  static std::optional<Error> error_of(PartitionReader& reader) {
    std::optional<Error> error;
    EXPECT_TRUE(eventually([&] {
      const auto batch = reader.poll(100, milliseconds(100));
      if (!batch) error = batch.error();
      return error.has_value();
    }));
    return error;
  }

  // Commits `values` to partition 0 of `topic` in one transaction.
  void commit(const std::string& topic, const std::vector<std::string>& values) {
    if (!producer_) {
      TransactionOptions options;
      options.transactional_id = unique("txn");
      producer_ = make_transactional_producer(cluster(), options, log_).value();
    }
    std::vector<OutRecord> records;
    for (const auto& value : values) records.push_back(record(topic, "key", value));
    struct NoGroup final : GroupMetadata {};
    const auto done = commit_patiently(*producer_, records, {}, NoGroup());
    // A record beyond the broker's limit makes the transaction abort, on purpose.
    const bool too_large =
        std::ranges::any_of(values, [](const auto& v) { return v.size() > 1'100'000; });
    EXPECT_EQ(done.has_value(), !too_large);
  }

  static std::string noise() {
    std::string bytes(2'000'000, '\0');
    std::uint32_t state = 1;
    for (auto& byte : bytes)
      byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    return bytes;
  }

  std::unique_ptr<TransactionalProducer> producer_;
};

TEST_F(ReaderTest, ReadsEachPartitionFromItsStartInOrder) {
  constexpr int kRecords = 5'000;
  const auto topic = make_topic(3);
  for (std::int32_t p = 0; p < 3; ++p) fill(topic, p, kRecords);
  const auto in = reader();
  const std::vector<PartitionOffset> starts = {{{topic, 0}, 0}, {{topic, 2}, 1'000}};
  ASSERT_TRUE(in->assign(starts));
  std::map<std::int32_t, std::int64_t> next = {{0, 0}, {2, 1'000}};
  std::map<std::int32_t, std::int64_t> ends;
  ASSERT_TRUE(eventually([&] {
    const auto batch = in->poll(700, milliseconds(100));
    EXPECT_TRUE(batch);
    if (!batch) return true;
    EXPECT_LE(batch->records.size(), 700U);
    for (const auto& record : batch->records) {
      const auto partition = record.position.partition;
      EXPECT_EQ(record.position.offset, next.at(partition));
      EXPECT_FALSE(ends.contains(partition));
      ++next[partition];
    }
    for (const auto& end : batch->ends) ends[end.tp.partition] = end.offset;
    return ends.size() == 2;
  }));
  EXPECT_EQ(next, ends);
  EXPECT_EQ(ends[2], kRecords);
}

TEST_F(ReaderTest, AnEmptyPartitionHasItsEndAtItsStart) {
  const auto topic = make_topic();
  std::int64_t end = -1;
  EXPECT_TRUE(read_all(topic, 0, 0, &end).empty());
  EXPECT_EQ(end, 0);
}

TEST_F(ReaderTest, TheEndIsPastControlRecords) {
  const auto topic = make_topic();
  commit(topic, {"a", "b"});  // offsets 0, 1 and a control record at 2
  std::int64_t end = -1;
  EXPECT_EQ(read_all(topic, 0, 0, &end).size(), 2U);
  EXPECT_EQ(end, 3);
  // Also from the control record itself, where no record is left to be shown.
  EXPECT_TRUE(read_all(topic, 0, 2, &end).empty());
  EXPECT_EQ(end, 3);
  EXPECT_EQ(make_admin(cluster(), log_).value()->watermarks({topic, 0}, kPatience).value().high, 3);
}

TEST_F(ReaderTest, AbortedRecordsAreNeverShown) {
  const auto topic = make_topic();
  commit(topic, {"good"});
  commit(topic, {"doomed", noise()});
  commit(topic, {"also good"});
  const auto records = read_all(topic);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].value, "good");
  EXPECT_EQ(records[1].value, "also good");
}

TEST_F(ReaderTest, NewRecordsFollowTheEndAndTheEndComesAgain) {
  const auto topic = make_topic();
  const auto in = reader();
  const std::vector<PartitionOffset> starts = {{{topic, 0}, 0}};
  ASSERT_TRUE(in->assign(starts));
  std::int64_t end = -1;
  std::size_t seen = 0;
  const auto reach = [&](std::int64_t wanted) {
    return eventually([&] {
      const auto batch = in->poll(10, milliseconds(100)).value();
      seen += batch.records.size();
      for (const auto& reached : batch.ends) end = reached.offset;
      return end == wanted;
    });
  };
  ASSERT_TRUE(reach(0));
  fill(topic, 0, 2);
  ASSERT_TRUE(reach(2));
  commit(topic, {"x"});
  ASSERT_TRUE(reach(4));
  EXPECT_EQ(seen, 3U);
}

TEST_F(ReaderTest, PollReturnsWhatIsThereWithoutWaitingForMore) {
  const auto topic = make_topic();
  fill(topic, 0, 1);
  const auto in = reader();
  const std::vector<PartitionOffset> starts = {{{topic, 0}, 0}};
  ASSERT_TRUE(in->assign(starts));
  // An hour: the test would time out if poll waited for a full batch.
  const auto batch = in->poll(1'000, std::chrono::hours(1)).value();
  EXPECT_EQ(batch.records.size(), 1U);
}

TEST_F(ReaderTest, ABatchHoldsItsRecordsWhileOthersAreRead) {
  const auto topic = make_topic();
  commit(topic, {"one", "two"});
  const auto in = reader();
  const std::vector<PartitionOffset> starts = {{{topic, 0}, 0}};
  ASSERT_TRUE(in->assign(starts));
  std::vector<ReadBatch> batches;
  const auto seen = [&](std::size_t wanted) {
    return eventually([&] {
      batches.push_back(in->poll(1, milliseconds(100)).value());
      std::erase_if(batches, [](const auto& batch) { return batch.records.empty(); });
      return batches.size() == wanted;
    });
  };
  ASSERT_TRUE(seen(2));
  ASSERT_TRUE(in->assign(starts));  // what was queued goes; what was handed out stays
  ASSERT_TRUE(seen(4));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& record = batches[i].records.at(0);
    EXPECT_EQ(record.topic, topic);
    EXPECT_EQ(record.key, "key");
    EXPECT_EQ(record.value, i % 2 == 0 ? "one" : "two");
  }
}

TEST_F(ReaderTest, ANewAssignmentReplacesTheOldOneAtOnce) {
  constexpr int kRecords = 20'000;
  const auto first = make_topic();
  const auto second = make_topic();
  fill(first, 0, kRecords);
  fill(second, 0, 10);
  const auto in = reader();
  for (int round = 0; round < 20; ++round) {
    const std::vector<PartitionOffset> starts = {{{first, 0}, 5'000}};
    ASSERT_TRUE(in->assign(starts));
    ASSERT_TRUE(
        eventually([&] { return !in->poll(10, milliseconds(100)).value().records.empty(); }));
    // Thousands of records of the first assignment are queued now.
    const std::vector<PartitionOffset> others = {{{second, 0}, 3}, {{first, 0}, 7}};
    ASSERT_TRUE(in->assign(others));
    std::map<std::string_view, std::int64_t> next = {{second, 3}, {first, 7}};
    int seen = 0;
    ASSERT_TRUE(eventually([&] {
      const auto batch = in->poll(100, milliseconds(100)).value();
      for (const auto& record : batch.records) {
        EXPECT_EQ(record.position.offset, next.at(record.topic)) << round;
        ++next[record.topic];
        ++seen;
      }
      return seen >= 500 || testing::Test::HasFailure();
    }));
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(ReaderTest, APositionTheLogDoesNotHoldIsReported) {
  const auto topic = make_topic();
  fill(topic, 0, 3);
  const auto in = reader();
  const std::vector<PartitionOffset> beyond = {{{topic, 0}, 1'000}};
  ASSERT_TRUE(in->assign(beyond));
  const auto error = error_of(*in).value();
  EXPECT_EQ(error.code, "offset-out-of-range");
  EXPECT_EQ(error.retry, Retry::kNever);
  EXPECT_FALSE(in->poll(1, milliseconds(1)));  // until something else is assigned
  const std::vector<PartitionOffset> good = {{{topic, 0}, 1}};
  ASSERT_TRUE(in->assign(good));
  std::size_t seen = 0;
  EXPECT_TRUE(eventually([&] {
    seen += in->poll(10, milliseconds(100)).value().records.size();
    return seen == 2;
  }));
}

TEST_F(ReaderTest, AnUnknownTopicIsAnErrorNotSilence) {
  const auto in = reader();
  const std::vector<PartitionOffset> starts = {{{unique("missing"), 0}, 0}};
  ASSERT_TRUE(in->assign(starts));
  EXPECT_EQ(error_of(*in).value().code, "unknown-topic");
}

TEST_F(ReaderTest, SmallMemoryStillReadsEverything) {
  const auto topic = make_topic();
  constexpr int kRecords = 30'000;
  fill(topic, 0, kRecords);
  ReaderOptions options;
  options.queue_bytes = std::size_t{64} * 1024;
  const auto in = make_partition_reader(cluster(), options, log_).value();
  const std::vector<PartitionOffset> starts = {{{topic, 0}, 0}};
  ASSERT_TRUE(in->assign(starts));
  int seen = 0;
  EXPECT_TRUE(eventually([&] {
    seen += static_cast<int>(in->poll(5'000, milliseconds(100)).value().records.size());
    return seen == kRecords;
  }));
}

}  // namespace
}  // namespace thumb::kafka
