// Output records and input offsets, all or nothing, against the real broker; failures that a
// healthy broker does not give come from the mock cluster.
#include <thread>

#include "kafka_fixture.h"
#include "mock_cluster.h"

namespace thumb::kafka {
namespace {

// Takes every partition from its first offset.
class FromStart final : public RebalanceListener {
 public:
  Result<std::vector<PartitionOffset>> on_assigned(
      std::span<const TopicPartition> partitions) override {
    std::vector<PartitionOffset> starts;
    for (const auto& tp : partitions) starts.push_back({tp, 0});
    return starts;
  }
  void on_revoked(std::span<const TopicPartition>) override {}
  void on_lost(std::span<const TopicPartition>) override {}
};

// A group member that has read its input, as the processor has when it commits.
struct Member {
  FromStart listener;
  std::unique_ptr<GroupConsumer> consumer;
};

class TransactionTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (HasFatalFailure()) return;
    input_ = make_topic();
    output_ = make_topic();
    fill(input_, 0, 3);
    group_ = unique("group");
  }

  std::unique_ptr<TransactionalProducer> transactional(const std::string& id) {
    TransactionOptions options;
    options.transactional_id = id;
    return make_transactional_producer(cluster(), options, log_).value();
  }

  void join(Member& member) {
    member.consumer =
        make_group_consumer(cluster(), {.group_id = group_, .topic = input_}, member.listener, log_)
            .value();
    EXPECT_TRUE(eventually([&] {
      const auto records = member.consumer->poll(10, milliseconds(100));
      EXPECT_TRUE(records);
      return !records || !records->empty();
    }));
  }

  std::vector<PartitionOffset> next(std::int64_t offset) const { return {{{input_, 0}, offset}}; }

  std::int64_t committed(Member& member) const {
    const std::vector<TopicPartition> partitions = {{input_, 0}};
    return member.consumer->committed(partitions, kPatience, {}).value()[0].offset;
  }

  std::string input_;
  std::string output_;
  std::string group_;
};

TEST_F(TransactionTest, RecordsAndOffsetsBecomeVisibleTogether) {
  Member member;
  join(member);
  EXPECT_EQ(committed(member), -1);
  const auto producer = transactional(unique("txn"));
  const auto group = member.consumer->group_metadata().value();
  ASSERT_TRUE(producer->commit_batch(
      std::vector{record(output_, "a", "1"), record(output_, "b", "2")}, next(2), *group));
  EXPECT_EQ(committed(member), 2);
  EXPECT_EQ(read_all(output_).size(), 2U);
  ASSERT_TRUE(producer->commit_batch(std::vector{record(output_, "c", "3")}, next(3), *group));
  EXPECT_EQ(committed(member), 3);
  EXPECT_EQ(read_all(output_).size(), 3U);
}

TEST_F(TransactionTest, OffsetsAloneAndRecordsAloneAreTransactionsToo) {
  Member member;
  join(member);
  const auto producer = transactional(unique("txn"));
  const auto group = member.consumer->group_metadata().value();
  ASSERT_TRUE(producer->commit_batch({}, next(1), *group));
  EXPECT_EQ(committed(member), 1);
  ASSERT_TRUE(producer->commit_batch(std::vector{record(output_, "a", "1")}, {}, *group));
  EXPECT_EQ(read_all(output_).size(), 1U);
  ASSERT_TRUE(producer->commit_batch({}, {}, *group));
  EXPECT_EQ(committed(member), 1);
}

TEST_F(TransactionTest, ARecordTooLargeAbortsAllAndTheProducerGoesOn) {
  Member member;
  join(member);
  const auto producer = transactional(unique("txn"));
  const auto group = member.consumer->group_metadata().value();
  std::string noise(2'000'000, '\0');
  std::uint32_t state = 1;
  for (auto& byte : noise) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  const auto failed = producer->commit_batch(
      std::vector{record(output_, "a", "before"), record(output_, "b", noise)}, next(2), *group);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kTooLarge) << failed.error().detail;
  EXPECT_EQ(failed.error().retry, Retry::kNever);
  EXPECT_EQ(committed(member), -1);
  EXPECT_TRUE(read_all(output_).empty());

  // The gap that the refused record left costs one more abort.
  ASSERT_TRUE(
      commit_patiently(*producer, std::vector{record(output_, "a", "after")}, next(2), *group));
  const auto records = read_all(output_);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "after");
  EXPECT_EQ(committed(member), 2);
}

TEST_F(TransactionTest, AMemberThatLeftTheGroupCommitsNothing) {
  Member member;
  join(member);
  const auto producer = transactional(unique("txn"));
  const auto stale = member.consumer->group_metadata().value();
  member.consumer->close();
  Member successor;
  join(successor);

  const auto failed =
      producer->commit_batch(std::vector{record(output_, "a", "late")}, next(3), *stale);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "stale-member") << failed.error().detail;
  EXPECT_EQ(failed.error().retry, Retry::kBackoff);
  EXPECT_TRUE(read_all(output_).empty());
  EXPECT_EQ(committed(successor), -1);

  const auto current = successor.consumer->group_metadata().value();
  EXPECT_TRUE(producer->commit_batch(std::vector{record(output_, "a", "now")}, next(3), *current));
  EXPECT_EQ(committed(successor), 3);
}

TEST_F(TransactionTest, ASecondProducerOfTheSameIdFencesTheFirst) {
  Member member;
  join(member);
  const auto id = unique("txn");
  const auto first = transactional(id);
  const auto group = member.consumer->group_metadata().value();
  ASSERT_TRUE(first->commit_batch(std::vector{record(output_, "a", "1")}, next(1), *group));
  const auto second = transactional(id);
  for (int attempt = 0; attempt < 2; ++attempt) {  // and it stays fenced
    const auto failed =
        first->commit_batch(std::vector{record(output_, "a", "zombie")}, next(2), *group);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().retry, Retry::kFatal) << failed.error().detail;
    EXPECT_EQ(failed.error().code, "producer-fenced") << failed.error().detail;
  }
  EXPECT_EQ(committed(member), 1);
  ASSERT_TRUE(second->commit_batch(std::vector{record(output_, "a", "2")}, next(2), *group));
  const auto records = read_all(output_);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].value, "2");
}

TEST_F(TransactionTest, WithoutABrokerMakingOneFails) {
  TransactionOptions options;
  options.transactional_id = unique("txn");
  const auto mistake = make_transactional_producer(
      {bootstrap_, "thumb-test", {{"transactional.id", "other"}}}, options, log_);
  ASSERT_FALSE(mistake);
  EXPECT_EQ(mistake.error().code, "reserved-kafka-option");
}

// The mock cluster has no consumer groups for transactions, but takes any metadata.
class BrokenTransactionTest : public KafkaTest {
 protected:
  void SetUp() override {
    mock_.make_topic("in", 1);
    mock_.make_topic("out", 1);
    producer_ = make_transactional_producer(mock_.config(), options("txn"), log_).value();
    group_ = std::make_unique<RdGroupMetadata>(
        RdGroupMetadataHandle(rd_kafka_consumer_group_metadata_new("group")));
  }

  static TransactionOptions options(const std::string& id) {
    TransactionOptions options;
    options.transactional_id = id;
    return options;
  }

  Result<void> commit() {
    const std::vector<PartitionOffset> offsets = {{{"in", 0}, 5}};
    return producer_->commit_batch(std::vector{record("out", "a", "1")}, offsets, *group_);
  }

  MockCluster mock_;
  std::unique_ptr<TransactionalProducer> producer_;
  std::unique_ptr<GroupMetadata> group_;
};

// Longer than one question to the coordinator takes: the same one is asked on.
TEST_F(BrokenTransactionTest, ACoordinatorThatIsSlowToAnswerIsWaitedFor) {
  mock_.delay_next(Api::kInitProducerId, milliseconds(1'000));
  const auto made = make_transactional_producer(mock_.config(), options("slow"), log_);
  EXPECT_TRUE(made) << made.error().detail;
}

// The limit is half a minute; what waits for a stop has less.
TEST_F(BrokenTransactionTest, AStopEndsTheWaitForTheCoordinator) {
  mock_.hang();
  const auto begun = std::chrono::steady_clock::now();
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto made =
      make_transactional_producer(mock_.config(), options("stopped"), log_, stop.get_token());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().retry, Retry::kBackoff);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(8));
}

TEST_F(BrokenTransactionTest, RetriableErrorsAreOvercomeInPlace) {
  ASSERT_TRUE(commit());
  for (const auto api : {Api::kAddPartitionsToTxn, Api::kProduce, Api::kAddOffsetsToTxn,
                         Api::kTxnOffsetCommit, Api::kEndTxn}) {
    const auto error = api == Api::kProduce ? RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
                                            : RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    mock_.fail_next(api, {error, error, error});
    const auto done = commit();
    EXPECT_TRUE(done) << static_cast<int>(api) << done.error().detail;
  }
}

TEST_F(BrokenTransactionTest, AbortableErrorsAbortAndTheSameCallPassesLater) {
  const std::pair<Api, rd_kafka_resp_err_t> cases[] = {
      {Api::kAddPartitionsToTxn, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
      {Api::kTxnOffsetCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION},
      {Api::kTxnOffsetCommit, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
      {Api::kEndTxn, RD_KAFKA_RESP_ERR_UNKNOWN},
  };
  for (const auto& [api, error] : cases) {
    mock_.fail_next(api, {error});
    const auto failed = commit();
    ASSERT_FALSE(failed) << static_cast<int>(api);
    EXPECT_EQ(failed.error().retry, Retry::kBackoff) << failed.error().detail;
    const auto done = commit();
    ASSERT_TRUE(done) << static_cast<int>(api) << done.error().detail;
  }
}

TEST_F(BrokenTransactionTest, FencingIsFatal) {
  mock_.fail_next(Api::kAddOffsetsToTxn, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  const auto failed = commit();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().retry, Retry::kFatal);
  EXPECT_NE(failed.error().kind, ErrorKind::kTimeout);
}

TEST_F(BrokenTransactionTest, ACommitWithoutAnAnswerIsUnknownAndEndsTheProducer) {
  mock_.fail_always(Api::kEndTxn, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto failed = commit();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kTimeout);
    EXPECT_EQ(failed.error().retry, Retry::kFatal);
    EXPECT_EQ(failed.error().code, "commit-outcome-unknown");
    mock_.heal(Api::kEndTxn);
  }
}

TEST_F(BrokenTransactionTest, AFencedCommitIsUnknownToo) {
  mock_.fail_next(Api::kEndTxn, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  const auto failed = commit();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(failed.error().retry, Retry::kFatal);
}

TEST_F(BrokenTransactionTest, ABrokerThatHangsEndsTheCallAsFatal) {
  ASSERT_TRUE(commit());
  mock_.hang();
  const auto failed = commit();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().retry, Retry::kFatal) << failed.error().detail;
}

}  // namespace
}  // namespace thumb::kafka
