// Answers about the cluster are the leader's, and come within their time-out or not at all.
#include <array>
#include <future>
#include <thread>

#include "kafka/rd_handles.h"
#include "kafka_fixture.h"
#include "mock_cluster.h"

namespace thumb::kafka {
namespace {

class AdminTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (!HasFatalFailure()) admin_ = make_admin(cluster(), log_).value();
  }

  // Of a transaction that stays open. By hand: no port of ours can leave one so.
  RdClient transaction_with_a_record(const TopicPartition& tp) {
    const RdConf conf(rd_kafka_conf_new());
    std::array<char, 256> why{};
    for (const auto& [name, value] : {std::pair("bootstrap.servers", bootstrap_),
                                      std::pair("transactional.id", unique("open"))}) {
      rd_kafka_conf_set(conf.get(), name, value.c_str(), why.data(), why.size());
    }
    RdClient client(
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_dup(conf.get()), why.data(), why.size()));
    const int patience = to_rd(kPatience);
    const bool begun = !RdError(rd_kafka_init_transactions(client.get(), patience)) &&
                       !RdError(rd_kafka_begin_transaction(client.get()));
    EXPECT_TRUE(begun);
    EXPECT_EQ(rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(tp.topic.c_str()),
                                RD_KAFKA_V_PARTITION(tp.partition), RD_KAFKA_V_VALUE(nullptr, 0),
                                RD_KAFKA_V_END),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(rd_kafka_flush(client.get(), patience), RD_KAFKA_RESP_ERR_NO_ERROR);
    return client;
  }

  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, TheClusterIdIsOneForAllClients) {
  const auto id = admin_->cluster_id(kPatience).value();
  EXPECT_FALSE(id.empty());
  EXPECT_EQ(make_admin(cluster(), log_).value()->cluster_id(kPatience).value(), id);
}

TEST_F(AdminTest, CountsPartitions) {
  EXPECT_EQ(admin_->partition_count(make_topic(5), kPatience).value(), 5);
  EXPECT_EQ(admin_->partition_count(make_topic(1), kPatience).value(), 1);
}

TEST_F(AdminTest, WatermarksAreFreshAtEveryCall) {
  const auto topic = make_topic(2);
  const auto marks = admin_->watermarks({topic, 1}, kPatience).value();
  EXPECT_EQ(marks.low, 0);
  EXPECT_EQ(marks.high, 0);
  for (int i = 1; i <= 3; ++i) {
    fill(topic, 1, 1);
    EXPECT_EQ(admin_->watermarks({topic, 1}, kPatience).value().high, i);
  }
  EXPECT_EQ(admin_->watermarks({topic, 0}, kPatience).value().high, 0);
}

TEST_F(AdminTest, WatermarksOfManyAreThoseOfEach) {
  const auto one = make_topic(3);
  const auto other = make_topic(2);
  fill(one, 1, 2);
  fill(other, 0, 1);
  const auto open = transaction_with_a_record({other, 1});
  ASSERT_NE(open, nullptr);

  std::vector<TopicPartition> all;
  for (const int p : {2, 1, 0}) all.push_back({one, p});
  for (const int p : {0, 1}) all.push_back({other, p});
  const auto marks = admin_->watermarks_of(all, kPatience).value();
  EXPECT_EQ(marks.size(), all.size());
  for (const auto& tp : all) {
    const auto alone = admin_->watermarks(tp, kPatience).value();
    EXPECT_EQ(marks.at(tp).low, alone.low) << tp.topic << tp.partition;
    EXPECT_EQ(marks.at(tp).high, alone.high) << tp.topic << tp.partition;
  }
  EXPECT_EQ(marks.at({one, 1}).high, 2);
  EXPECT_EQ(marks.at({other, 1}).high, 1);  // where the next one goes, whatever is committed

  EXPECT_TRUE(admin_->watermarks_of({}, kPatience).value().empty());
  all.push_back({one, 3});
  EXPECT_EQ(admin_->watermarks_of(all, kPatience).error().code, "unknown-partition");
  all.back() = {unique("missing"), 0};
  EXPECT_EQ(admin_->watermarks_of(all, kPatience).error().code, "unknown-topic");
}

TEST_F(AdminTest, UnknownTopicsAndPartitionsAreToldApart) {
  const auto missing = unique("missing");
  const auto count = admin_->partition_count(missing, kPatience);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, "unknown-topic");
  EXPECT_EQ(count.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(count.error().retry, Retry::kNever);

  const auto marks = admin_->watermarks({missing, 0}, kPatience);
  ASSERT_FALSE(marks);
  EXPECT_EQ(marks.error().code, "unknown-topic") << marks.error().detail;

  const auto topic = make_topic(2);
  const auto partition = admin_->watermarks({topic, 2}, kPatience);
  ASSERT_FALSE(partition);
  EXPECT_EQ(partition.error().code, "unknown-partition") << partition.error().detail;
  EXPECT_EQ(partition.error().kind, ErrorKind::kNotFound);
  const auto offset = admin_->offset_for_time({topic, 7}, time_from_ms(0), kPatience);
  ASSERT_FALSE(offset);
  EXPECT_EQ(offset.error().code, "unknown-partition") << offset.error().detail;
}

TEST_F(AdminTest, FindsTheFirstRecordOfATime) {
  const auto topic = make_topic();
  fill(topic, 0, 1);
  const auto first = read_all(topic)[0].timestamp;
  ASSERT_TRUE(eventually([&] { return SystemClock().now() > first; }));  // another millisecond
  fill(topic, 0, 1);
  const auto records = read_all(topic);
  ASSERT_EQ(records.size(), 2U);
  const auto second = records[1].timestamp;
  ASSERT_LT(first, second);

  const TopicPartition tp{topic, 0};
  EXPECT_EQ(admin_->offset_for_time(tp, first, kPatience).value(), 0);
  EXPECT_EQ(admin_->offset_for_time(tp, first + milliseconds(1), kPatience).value(), 1);
  EXPECT_EQ(admin_->offset_for_time(tp, second, kPatience).value(), 1);
  EXPECT_EQ(admin_->offset_for_time(tp, second + milliseconds(1), kPatience).value(), 2);
  EXPECT_EQ(admin_->offset_for_time(tp, time_from_ms(-5), kPatience).value(), 0);
}

TEST_F(AdminTest, WithoutABrokerEveryQuestionEndsInTime) {
  const auto admin = make_admin({kNobody, "thumb-test", {}}, log_).value();
  const milliseconds soon(300);
  EXPECT_FALSE(admin->cluster_id(soon));
  EXPECT_EQ(admin->partition_count("t", soon).error().retry, Retry::kBackoff);
  EXPECT_EQ(admin->watermarks({"t", 0}, soon).error().retry, Retry::kBackoff);
  EXPECT_EQ(
      admin->watermarks_of(std::vector<TopicPartition>{{"t", 0}, {"t", 1}}, soon).error().retry,
      Retry::kBackoff);
  EXPECT_EQ(admin->offset_for_time({"t", 0}, time_from_ms(0), soon).error().retry, Retry::kBackoff);
}

// rd_kafka_query_watermark_offsets() of librdkafka 2.0.2 never returns here.
TEST_F(AdminTest, ALeaderThatStopsAnsweringIsATimeOut) {
  MockCluster mock;
  mock.make_topic("topic", 1);
  const auto admin = make_admin(mock.config(), log_).value();
  ASSERT_TRUE(admin->watermarks({"topic", 0}, kPatience));
  mock.hang();
  auto answer = std::async(std::launch::async, [&] {
    return admin->watermarks({"topic", 0}, milliseconds(500));
  });
  ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
  const auto marks = answer.get();
  ASSERT_FALSE(marks);
  EXPECT_EQ(marks.error().retry, Retry::kBackoff) << marks.error().detail;
}

}  // namespace
}  // namespace thumb::kafka
