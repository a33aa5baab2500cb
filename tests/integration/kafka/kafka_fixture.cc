#include "kafka_fixture.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "kafka/topic_provisioner.h"

namespace thumb::kafka {

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

OutRecord record(const std::string& topic, const std::string& key, const std::string& value) {
  OutRecord out;
  out.topic = topic;
  out.key = key;
  out.value = value;
  return out;
}

Result<void> commit_patiently(TransactionalProducer& producer, std::span<const OutRecord> records,
                              std::span<const PartitionOffset> offsets,
                              const GroupMetadata& group) {
  Result<void> done;
  const bool ended = eventually([&] {
    done = producer.commit_batch(records, offsets, group);
    return done || done.error().retry != Retry::kBackoff;
  });
  EXPECT_TRUE(ended);
  return done;
}

void KafkaTest::SetUp() {
  const char* bootstrap = std::getenv("THUMB_TEST_KAFKA");
  ASSERT_NE(bootstrap, nullptr) << "THUMB_TEST_KAFKA must name a broker (host:port)";
  bootstrap_ = bootstrap;
}

ClusterConfig KafkaTest::cluster() const { return {bootstrap_, "thumb-test", {}}; }

std::string KafkaTest::unique(const std::string& what) {
  static std::atomic<int> counter{0};
  const auto now = SystemClock().now().time_since_epoch().count();
  return what + "-" + std::to_string(getpid()) + "-" + std::to_string(now) + "-" +
         std::to_string(++counter);
}

std::string KafkaTest::make_topic(std::int32_t partitions) {
  const std::vector<TopicSpec> wanted = {
      {unique("kafka-test"), partitions, 1, {{"message.timestamp.type", "LogAppendTime"}}, ""}};
  auto admin = make_topic_admin(cluster(), log_).value();
  const auto made = ensure_topics(*admin, wanted, kPatience);
  EXPECT_TRUE(made) << made.error().message << made.error().detail;
  return wanted[0].name;
}

std::unique_ptr<Producer> KafkaTest::producer() {
  return make_producer(cluster(), {}, log_).value();
}

void KafkaTest::fill(const std::string& topic, std::int32_t partition, int count) {
  const auto out = producer();
  for (int i = 0; i < count; ++i) {
    auto one = record(topic, "key", std::to_string(i));
    one.partition = partition;
    if (i + 1 < count) {
      out->produce(std::move(one), [](const Result<LogPosition>& done) { EXPECT_TRUE(done); });
    } else {
      ASSERT_TRUE(out->produce_and_wait(std::move(one)));
    }
  }
}

std::vector<InRecord> KafkaTest::read_all(const std::string& topic, std::int32_t partition,
                                          std::int64_t start, std::int64_t* end) {
  auto reader = make_partition_reader(cluster(), {}, log_).value();
  const std::vector<PartitionOffset> starts = {{{topic, partition}, start}};
  EXPECT_TRUE(reader->assign(starts));
  std::vector<InRecord> records;
  const bool ended = eventually([&] {
    auto batch = reader->poll(1'000, milliseconds(100));
    EXPECT_TRUE(batch) << batch.error().code;
    if (!batch) return true;
    std::ranges::transform(batch->records, std::back_inserter(records), owned);
    if (batch->ends.empty()) return false;
    if (end != nullptr) *end = batch->ends[0].offset;
    return true;
  });
  EXPECT_TRUE(ended);
  return records;
}

}  // namespace thumb::kafka
