// A blob store that fails, or never answers, for longer than the group lets a member be silent: the
// processor's loop stays a member all the same, with the partitions that it had.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "kafka/clients.h"
#include "kafka/topic_provisioner.h"
#include "processor/runner.h"
#include "schemas/codec.h"
#include "tests/support/event_samples.h"
#include "tests/support/wait_until.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::int32_t kPartitions = 3;
constexpr int kRequests = 60;            // many more than the loop takes in hand
constexpr milliseconds kSilence{6'000};  // max.poll.interval.ms; no broker grants a shorter session
constexpr milliseconds kOutage{9'000};

enum class Trouble { kFails, kHangs };

// Stands for handler and blob store, which is away until `over`.
class Desk {
 public:
  Desk(Trouble trouble, const TopicNames& names) : trouble_(trouble), names_(names) {}

  Result<Outcome> handle(const Work& work) {
    if (trouble_ == Trouble::kHangs) std::this_thread::sleep_until(over_);
    if (steady_clock::now() < over_) {
      return fail_transient(ErrorKind::kUnavailable, "io-error", "the blob store is away");
    }
    const auto& base = base_of(work);
    const EventContext context{SystemClock().now(), "/test", std::nullopt};
    ++ended_;
    return Outcome{
        Ending::kCompleted,
        {encode(completed(base.image_id, base.request_id, work.position), context, names_)}};
  }
  [[nodiscard]] int ended() const { return ended_; }

 private:
  const Trouble trouble_;
  const TopicNames& names_;
  const steady_clock::time_point over_ = steady_clock::now() + kOutage;
  std::atomic<int> ended_{0};
};

// Passes on what the group decides, and counts it.
class CountingListener final : public kafka::RebalanceListener {
 public:
  explicit CountingListener(kafka::RebalanceListener& next) : next_(next) {}

  Result<std::vector<kafka::PartitionOffset>> on_assigned(
      std::span<const kafka::TopicPartition> partitions) override {
    assigned += static_cast<int>(partitions.size());
    return next_.on_assigned(partitions);
  }
  void on_revoked(std::span<const kafka::TopicPartition> partitions) override {
    taken += static_cast<int>(partitions.size());
    next_.on_revoked(partitions);
  }
  void on_lost(std::span<const kafka::TopicPartition> partitions) override {
    taken += static_cast<int>(partitions.size());
    next_.on_lost(partitions);
  }

  std::atomic<int> assigned{0};
  std::atomic<int> taken{0};

 private:
  kafka::RebalanceListener& next_;
};

class OutageTest : public ::testing::TestWithParam<Trouble> {
 protected:
  void SetUp() override {
    const char* bootstrap = std::getenv("THUMB_TEST_KAFKA");
    ASSERT_NE(bootstrap, nullptr) << "THUMB_TEST_KAFKA must name a broker (host:port)";
    cluster_ = {bootstrap, "processor-test", {}};
    names_ = TopicNames("outage-test-" + std::to_string(getpid()) + "-" +
                        std::to_string(SystemClock().now().time_since_epoch().count()) + "-");
    std::vector<kafka::TopicSpec> wanted;
    for (const auto topic : kAllTopics) {
      wanted.push_back(
          {names_.of(topic), kPartitions, 1, {{"message.timestamp.type", "LogAppendTime"}}, ""});
    }
    auto topic_admin = kafka::make_topic_admin(cluster_, log_).value();
    const auto made = kafka::ensure_topics(*topic_admin, wanted, seconds(30));
    ASSERT_TRUE(made) << made.error().message << made.error().detail;
    admin_ = kafka::make_admin(cluster_, log_).value();
    reader_ = kafka::make_partition_reader(cluster_, {}, log_).value();
  }

  void publish_requests() {
    const auto producer = kafka::make_producer(cluster_, {}, log_).value();
    const EventContext context{SystemClock().now(), "/test", std::nullopt};
    for (int n = 0; n < kRequests; ++n) {
      const auto event = uploaded(image_id(static_cast<std::uint8_t>(n)));
      ASSERT_TRUE(producer->produce_and_wait(encode(event, context, names_)));
    }
  }

  Result<std::unique_ptr<kafka::GroupConsumer>> join(kafka::RebalanceListener& runner) {
    listener_ = std::make_unique<CountingListener>(runner);
    return kafka::make_group_consumer(cluster_,
                                      {.group_id = names_.prefix() + "processor",
                                       .topic = names_.of(Topic::kImageRequests),
                                       .session_timeout = kSilence,
                                       .max_poll_interval = kSilence},
                                      *listener_, log_);
  }

  kafka::ClusterConfig cluster_;
  TopicNames names_;
  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  ProcessorMetrics processor_metrics_{metrics_};
  SystemClock clock_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::PartitionReader> reader_;
  std::unique_ptr<CountingListener> listener_;  // outlives the consumer, which the runner owns
};

TEST_P(OutageTest, TheMemberKeepsItsPartitions) {
  publish_requests();
  StartFinder starts(names_, *admin_, *reader_, clock_, {});
  const auto lag_reader = kafka::make_partition_reader(cluster_, {}, log_).value();
  PartitionLag lag(metrics_, *admin_, *lag_reader, names_.of(Topic::kImageRequests));
  RunnerOptions options;
  options.max_in_work = 8;
  options.work_backoff = {milliseconds(100), milliseconds(1'000)};
  Desk desk(GetParam(), names_);
  Runner runner({[this](kafka::RebalanceListener& listener) { return join(listener); },
                 [this] {
                   return kafka::make_transactional_producer(
                       cluster_, {.transactional_id = names_.prefix() + "producer"}, log_);
                 },
                 [&](const Job& job) { return desk.handle(*job.work); }, starts,
                 system_random_bytes(), log_, processor_metrics_, lag},
                names_, options);
  std::stop_source stop;
  Result<void> ended;
  std::jthread thread([&] { ended = runner.run(stop.get_token()); });
  EXPECT_TRUE(wait_until([&] { return desk.ended() >= kRequests; }));
  EXPECT_EQ(listener_->assigned, kPartitions);
  EXPECT_EQ(listener_->taken, 0);
  stop.request_stop();
  thread.join();
  EXPECT_TRUE(ended);
  EXPECT_EQ(desk.ended(), kRequests);  // nothing was worked on twice
}

INSTANTIATE_TEST_SUITE_P(All, OutageTest, ::testing::Values(Trouble::kFails, Trouble::kHangs),
                         [](const auto& which) {
                           return which.param == Trouble::kFails ? "Fails" : "Hangs";
                         });

}  // namespace
}  // namespace thumb
