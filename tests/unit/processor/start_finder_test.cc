#include "processor/start_finder.h"

#include <gtest/gtest.h>

#include "processor/repeat_filter.h"
#include "processor/work.h"
#include "tests/support/fake_kafka.h"
#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using std::chrono::minutes;

class LateClock final : public Clock {
 public:
  TimeMs now() const override { return kNoon + minutes(60); }
};

class StartFinderTest : public ::testing::Test {
 protected:
  // One request a minute from noon on.
  void fill(int count) {
    for (int i = 0; i < count; ++i) {
      cluster_.append(kInput, 0, out_record(uploaded(image_id(static_cast<std::uint8_t>(i)))),
                      kNoon + minutes(i));
    }
  }
  Result<std::vector<PartitionStart>> find(std::int64_t committed) {
    const kafka::PartitionOffset offsets[] = {{{kInput, 0}, committed}};
    return finder_.find(offsets, {});
  }

  FakeCluster cluster_{kInput};
  FakeAdmin admin_{cluster_};
  FakePartitionReader reader_{cluster_};
  LateClock clock_;
  StartFinder finder_{kNames, admin_, reader_, clock_, {"t.processor", "localhost:9092"}};
};

TEST_F(StartFinderTest, ANewInstallationBeginsAtTheBeginning) {
  fill(3);
  const auto starts = find(-1);
  ASSERT_TRUE(starts);
  EXPECT_EQ(starts->at(0).handle_from, 0);
  EXPECT_EQ(starts->at(0).read_from, 0);
}

TEST_F(StartFinderTest, WithoutAnOffsetButWithOutputsItRefusesAndSaysWhatToDo) {
  for (const char* topic :
       {"t.thumbnail-completed", "t.thumbnail-failed", "t.image-requests-dlq"}) {
    FakeCluster cluster(kInput);
    FakeAdmin admin(cluster);
    FakePartitionReader reader(cluster);
    StartFinder finder(kNames, admin, reader, clock_, {"t.processor", "localhost:9092"});
    cluster.append(topic, 0, poison(), kNoon);
    const kafka::PartitionOffset offsets[] = {{{kInput, 0}, -1}};
    const auto starts = finder.find(offsets, {});
    ASSERT_FALSE(starts);
    EXPECT_EQ(starts.error().code, "group-offset-missing");
    EXPECT_EQ(starts.error().retry, Retry::kNever);
    for (const char* part : {"t.processor", "'t.image-requests,0,<offset>'", "localhost:9092",
                             "kafka-consumer-groups", "--reset-offsets"}) {
      EXPECT_NE(starts.error().message.find(part), std::string::npos) << part;
    }
  }
}

TEST_F(StartFinderTest, ARefusalNamesTheOffsetBehindTheLastAnswer) {
  const auto answer = [&](const Event& event) {
    const auto out = out_record(event);
    cluster_.append(out.topic, 0, out, kNoon);
  };
  answer(completed(image_id(1), request_id(1), {0, 7}));
  answer(completed(image_id(2), request_id(2), {0, 3}));
  answer(failed(image_id(3), request_id(3), {0, 5}));
  EXPECT_NE(find(-1).error().message.find("'t.image-requests,0,8'"), std::string::npos);
  const InRecord poisoned = poison_at({0, 11});
  cluster_.append("t.image-requests-dlq", 0,
                  dead_letter(poisoned, understand(poisoned).error(), kNames), kNoon);
  EXPECT_NE(find(-1).error().message.find("'t.image-requests,0,12'"), std::string::npos);
}

TEST_F(StartFinderTest, OutputsOfOtherPartitionsDoNotCount) {
  cluster_.append("t.thumbnail-completed", 1, poison(), kNoon);
  EXPECT_TRUE(find(-1));
}

TEST_F(StartFinderTest, AbortedTransactionsAreNoOutputs) {
  cluster_.skip_offset("t.thumbnail-completed", 0);
  cluster_.skip_offset("t.thumbnail-failed", 0);
  const auto starts = find(-1);
  ASSERT_TRUE(starts) << starts.error().message;
  EXPECT_EQ(starts->at(0).handle_from, 0);
}

TEST_F(StartFinderTest, TheWindowBelowTheStartIsReadAgain) {
  fill(40);
  const auto starts = find(30);
  ASSERT_TRUE(starts);
  EXPECT_EQ(starts->at(0).handle_from, 30);
  EXPECT_EQ(starts->at(0).read_from, 15);
}

// Whatever our own clock says: a repeat is judged by the log's.
TEST_F(StartFinderTest, AtTheEndTheWindowCountsFromTheLastRecord) {
  fill(50);
  const auto starts = find(50);
  ASSERT_TRUE(starts);
  EXPECT_EQ(starts->at(0).handle_from, 50);
  EXPECT_EQ(starts->at(0).read_from, 34);
}

// Asks in vain, and is told to stop meanwhile.
class SilentAdmin final : public kafka::Admin {
 public:
  Result<std::string> cluster_id(milliseconds) override { return silence(); }
  Result<std::int32_t> partition_count(const std::string&, milliseconds) override {
    return silence();
  }
  Result<kafka::Watermarks> watermarks(const kafka::TopicPartition&, milliseconds wait) override {
    longest_wait = std::max(longest_wait, wait);
    if (++questions == 2) stop.request_stop();
    return silence();
  }
  Result<std::int64_t> offset_for_time(const kafka::TopicPartition&, TimeMs,
                                       milliseconds) override {
    return silence();
  }

  std::stop_source stop;
  int questions = 0;
  milliseconds longest_wait{0};

 private:
  static Failure silence() { return fail_transient(ErrorKind::kTimeout, "kafka-timeout", ""); }
};

TEST_F(StartFinderTest, AStopEndsTheWaitForASilentBroker) {
  SilentAdmin silent;
  StartFinder finder(kNames, silent, reader_, clock_, {"t.processor", "localhost:9092"});
  const kafka::PartitionOffset offsets[] = {{{kInput, 0}, -1}, {{kInput, 1}, -1}};
  EXPECT_EQ(finder.find(offsets, silent.stop.get_token()).error().code, "kafka-timeout");
  EXPECT_EQ(silent.questions, 2);
  EXPECT_LE(silent.longest_wait, std::chrono::seconds(5));
}

}  // namespace
}  // namespace thumb
