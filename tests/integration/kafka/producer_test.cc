// What ingest's 202 rests on: acknowledged records are there, and every record gets one answer.
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "kafka/partitioner.h"
#include "kafka_fixture.h"
#include "mock_cluster.h"

namespace thumb::kafka {
namespace {

using ProducerTest = KafkaTest;
using testing::HasSubstr;
using testing::Not;

// Counts answers; a record that is answered twice or never shows in the sums.
struct Answers {
  std::mutex mutex;
  std::map<std::string, int> by_code;  // "" = success
  int total = 0;

  Producer::Done one() {
    return [this](const Result<LogPosition>& result) {
      const std::lock_guard lock(mutex);
      ++by_code[result ? "" : result.error().code];
      ++total;
    };
  }
  int count() {
    const std::lock_guard lock(mutex);
    return total;
  }
  int count(const std::string& code) {
    const std::lock_guard lock(mutex);
    return by_code[code];
  }
};

TEST_F(ProducerTest, WhatIsAcknowledgedCanBeReadWhereItSays) {
  const auto topic = make_topic();
  auto out = record(topic, "key", "value");
  out.headers = {{"ce_id", "1"}, {"empty", ""}, {"ce_id", "again"}};
  const auto written = out;
  EXPECT_EQ(producer()->produce_and_wait(std::move(out)).value(), (LogPosition{0, 0}));
  const auto before = SystemClock().now();
  EXPECT_EQ(producer()->produce_and_wait(record(topic, "", "")).value(), (LogPosition{0, 1}));

  const auto records = read_all(topic);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].topic, topic);
  EXPECT_EQ(records[0].position, (LogPosition{0, 0}));
  EXPECT_EQ(records[0].key, written.key);
  EXPECT_EQ(records[0].value, written.value);
  EXPECT_EQ(records[0].headers, written.headers);
  EXPECT_LT(std::chrono::abs(records[0].timestamp - before), kPatience);
  EXPECT_EQ(records[1].value, "");
  EXPECT_TRUE(records[1].headers.empty());
}

TEST_F(ProducerTest, ATombstoneIsNoEmptyValue) {
  const auto topic = make_topic();
  auto tombstone = record(topic, "key", "");
  tombstone.value.reset();
  ASSERT_TRUE(producer()->produce_and_wait(std::move(tombstone)));
  ASSERT_TRUE(producer()->produce_and_wait(record(topic, "key", "")));
  const auto records = read_all(topic);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_FALSE(records[0].value.has_value());
  EXPECT_TRUE(records[1].value.has_value());
}

TEST_F(ProducerTest, AnyBytesSurvive) {
  const auto topic = make_topic();
  std::string bytes("\0\xff\r\n\x80", 5);
  bytes += std::string(300'000, 'x');
  auto out = record(topic, std::string("k\0\xfe", 3), bytes);
  out.headers = {{"h", bytes.substr(0, 5)}};
  ASSERT_TRUE(producer()->produce_and_wait(out));
  const auto records = read_all(topic);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, out.key);
  EXPECT_EQ(records[0].value, out.value);
  EXPECT_EQ(records[0].headers, out.headers);
}

TEST_F(ProducerTest, TheKeyDecidesThePartitionAsPartitionForSays) {
  constexpr std::int32_t kPartitions = 7;
  const auto topic = make_topic(kPartitions);
  const auto out = producer();
  std::vector<std::future<void>> checks;
  for (int i = 0; i < 200; ++i) {
    const auto key = i == 0 ? std::string() : "image-" + std::to_string(i);
    auto checked = std::make_shared<std::promise<void>>();
    checks.push_back(checked->get_future());
    out->produce(record(topic, key, "v"), [key, checked](const Result<LogPosition>& result) {
      EXPECT_TRUE(result);
      EXPECT_EQ(result.value_or(LogPosition{-1, 0}).partition, partition_for(key, kPartitions));
      checked->set_value();
    });
  }
  for (auto& check : checks) EXPECT_EQ(check.wait_for(kPatience), std::future_status::ready);
}

TEST_F(ProducerTest, APinnedPartitionBeatsTheKey) {
  const auto topic = make_topic(3);
  const auto out = producer();
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    auto pinned = record(topic, "same-key", "v");
    pinned.partition = partition;
    EXPECT_EQ(out->produce_and_wait(pinned).value(), (LogPosition{partition, 0}));
  }
}

TEST_F(ProducerTest, RecordsOfAKeyKeepTheirOrder) {
  constexpr int kRecords = 2'000;
  const auto topic = make_topic(4);
  {
    const auto out = producer();
    Answers answers;
    for (int i = 0; i < kRecords; ++i) {
      out->produce(record(topic, "key-" + std::to_string(i % 10), std::to_string(i)),
                   answers.one());
    }
    ASSERT_TRUE(eventually([&] { return answers.count() == kRecords; }));
    EXPECT_EQ(answers.count(""), kRecords);
  }
  int seen = 0;
  std::map<std::string, int> last;
  for (std::int32_t partition = 0; partition < 4; ++partition) {
    for (const auto& in : read_all(topic, partition)) {
      const int number = std::stoi(*in.value);
      const auto before = last.find(in.key);
      EXPECT_EQ(number, before == last.end() ? std::stoi(in.key.substr(4)) : before->second + 10);
      last[in.key] = number;
      ++seen;
    }
  }
  EXPECT_EQ(seen, kRecords);
}

TEST_F(ProducerTest, ManyThreadsMayProduce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  const auto topic = make_topic();
  const auto out = producer();
  Answers answers;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) out->produce(record(topic, "k", "v"), answers.one());
      });
    }
  }
  ASSERT_TRUE(eventually([&] { return answers.count() == kThreads * kEach; }));
  EXPECT_EQ(read_all(topic).size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(ProducerTest, ARecordThatIsTooLargeIsRefusedForGood) {
  const auto topic = make_topic();
  const auto out = producer();
  // Past the broker's limit, and past the client's.
  for (const std::size_t size : {2'000'000U, 5'000'000U}) {
    std::string noise(size, '\0');
    std::uint32_t state = 1;
    for (auto& byte : noise)
      byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    const auto result = out->produce_and_wait(record(topic, "key", noise));
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().kind, ErrorKind::kTooLarge) << result.error().detail;
    EXPECT_EQ(result.error().code, "record-too-large");
    EXPECT_EQ(result.error().retry, Retry::kNever);
  }
  EXPECT_TRUE(out->produce_and_wait(record(topic, "key", "small")));
}

TEST_F(ProducerTest, WithoutABrokerTheAnswerIsATimeOut) {
  ProducerOptions options;
  options.delivery_timeout = milliseconds(500);
  const auto out = make_producer({kNobody, "thumb-test", {}}, options, log_).value();
  Answers answers;
  out->produce(record("topic", "key", "v"), answers.one());
  ASSERT_TRUE(eventually([&] { return answers.count() == 1; }));
  EXPECT_EQ(answers.count("produce-timeout"), 1);
  const auto waited = out->produce_and_wait(record("topic", "key", "v"));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(waited.error().retry, Retry::kBackoff);
}

TEST_F(ProducerTest, ABrokerThatTakesButNeverAnswersIsATimeOutToo) {
  MockCluster mock;
  mock.make_topic("topic", 1);
  ProducerOptions options;
  options.delivery_timeout = milliseconds(1'000);
  const auto out = make_producer(mock.config(), options, log_).value();
  ASSERT_TRUE(out->produce_and_wait(record("topic", "key", "v")));
  mock.hang();
  Answers answers;
  out->produce(record("topic", "key", "v"), answers.one());
  ASSERT_TRUE(eventually([&] { return answers.count() == 1; }));
  EXPECT_EQ(answers.count("produce-timeout"), 1);
}

TEST_F(ProducerTest, DestructionAnswersEachRecordOnce) {
  constexpr int kRecords = 100;
  Answers answers;
  {
    const auto out = make_producer({kNobody, "thumb-test", {}}, {}, log_).value();
    for (int i = 0; i < kRecords; ++i) out->produce(record("topic", "key", "v"), answers.one());
  }
  EXPECT_EQ(answers.count(), kRecords);
  EXPECT_EQ(answers.count("produce-failed"), kRecords);
}

TEST_F(ProducerTest, DestructionDeliversWhatItCan) {
  constexpr int kRecords = 100;
  const auto topic = make_topic();
  Answers answers;
  {
    ProducerOptions options;
    options.linger = milliseconds(2'000);
    const auto out = make_producer(cluster(), options, log_).value();
    for (int i = 0; i < kRecords; ++i) out->produce(record(topic, "key", "v"), answers.one());
  }
  EXPECT_EQ(answers.count(""), kRecords);
  EXPECT_EQ(read_all(topic).size(), static_cast<std::size_t>(kRecords));
}

TEST_F(ProducerTest, AFullQueueSaysSoAtOnceOnTheProducersThread) {
  constexpr int kRecords = 50;
  ClusterConfig nobody{kNobody, "thumb-test", {{"queue.buffering.max.messages", "10"}}};
  Answers answers;
  std::atomic<bool> on_callers_thread{false};
  {
    const auto out = make_producer(nobody, {}, log_).value();
    for (int i = 0; i < kRecords; ++i) {
      out->produce(record("topic", "key", "v"),
                   [done = answers.one(), caller = std::this_thread::get_id(),
                    &on_callers_thread](Result<LogPosition> result) {
                     if (std::this_thread::get_id() == caller) on_callers_thread = true;
                     done(std::move(result));
                   });
    }
    ASSERT_TRUE(eventually([&] { return answers.count("produce-queue-full") == kRecords - 10; }));
    EXPECT_EQ(answers.count(), kRecords - 10);
  }
  EXPECT_EQ(answers.count(), kRecords);
  EXPECT_FALSE(on_callers_thread);
}

TEST_F(ProducerTest, AFatalErrorIsAnsweredAndThenOvercome) {
  MockCluster mock;
  mock.make_topic("topic", 1);
  const auto out = make_producer(mock.config(), {}, log_).value();
  ASSERT_TRUE(out->produce_and_wait(record("topic", "key", "0")));
  mock.fail_next(Api::kProduce, {RD_KAFKA_RESP_ERR_INVALID_MSG});
  const auto lost = out->produce_and_wait(record("topic", "key", "1"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::kUnavailable) << lost.error().detail;
  EXPECT_EQ(lost.error().retry, Retry::kBackoff);
  EXPECT_TRUE(
      eventually([&] { return out->produce_and_wait(record("topic", "key", "2")).has_value(); }));
}

TEST_F(ProducerTest, TransientBrokerErrorsAreNotSeen) {
  MockCluster mock;
  mock.make_topic("topic", 1);
  const auto out = make_producer(mock.config(), {}, log_).value();
  mock.fail_next(Api::kProduce,
                 {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                  RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  EXPECT_TRUE(out->produce_and_wait(record("topic", "key", "v")));
}

TEST_F(ProducerTest, OptionsThatWouldBreakGuaranteesAreRefused) {
  for (const char* name : {"acks", "enable.idempotence", "partitioner", "isolation.level"}) {
    const auto out = make_producer({bootstrap_, "thumb-test", {{name, "all"}}}, {}, log_);
    ASSERT_FALSE(out) << name;
    EXPECT_EQ(out.error().code, "reserved-kafka-option");
    EXPECT_THAT(out.error().message, HasSubstr(name));
  }
}

TEST_F(ProducerTest, ABadOptionIsNamedButItsValueIsNotTold) {
  const auto out =
      make_producer({bootstrap_, "thumb-test", {{"security.protocol", "hunter2"}}}, {}, log_);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, "bad-kafka-option");
  EXPECT_THAT(out.error().message, HasSubstr("security.protocol"));
  EXPECT_THAT(out.error().message + out.error().detail, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace thumb::kafka
