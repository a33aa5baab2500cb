// The declared topics on a real cluster: made once, compared ever after.
#include "kafka/topic_provisioner.h"

#include <algorithm>
#include <barrier>
#include <thread>

#include "kafka_fixture.h"

namespace thumb::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ProvisionerTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (HasFatalFailure()) return;
    prefix_ = unique("prov") + "-";
    admin_ = make_topic_admin(cluster(), log_).value();
  }

  std::vector<TopicSpec> wanted(std::int32_t partitions = 2) const {
    return declared_topics(built_in_topics_json(), {prefix_, partitions, 1}).value();
  }

  std::string prefix_;
  std::unique_ptr<TopicAdmin> admin_;
};

TEST_F(ProvisionerTest, MakesTheDeclaredTopicsExactlyAsDeclared) {
  const auto specs = wanted();
  const auto made = ensure_topics(*admin_, specs, kPatience).value();
  ASSERT_EQ(made.size(), specs.size());
  for (const auto& report : made) {
    EXPECT_EQ(report.fate, TopicFate::kCreated) << report.topic;
    EXPECT_EQ(report.partitions, 2) << report.topic;
    EXPECT_THAT(report.differences, IsEmpty()) << report.topic;
  }
  const auto again = ensure_topics(*admin_, specs, kPatience).value();
  for (const auto& report : again) {
    EXPECT_EQ(report.fate, TopicFate::kPresent) << report.topic;
    EXPECT_THAT(report.differences, IsEmpty()) << report.topic;
  }
}

TEST_F(ProvisionerTest, SeveralAtOnceAllSucceed) {
  constexpr int kProcesses = 4;
  const auto specs = wanted();
  std::barrier start(kProcesses);
  std::vector<std::vector<TopicReport>> reports(kProcesses);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : reports) {
      threads.emplace_back([&] {
        const auto admin = make_topic_admin(cluster(), log_).value();
        start.arrive_and_wait();
        const auto made = ensure_topics(*admin, specs, kPatience);
        EXPECT_TRUE(made) << made.error().message;
        if (made) mine = *made;
      });
    }
  }
  for (const auto& mine : reports) {
    ASSERT_EQ(mine.size(), specs.size());
    for (const auto& report : mine) EXPECT_THAT(report.differences, IsEmpty()) << report.topic;
  }
}

TEST_F(ProvisionerTest, ReportsWhatDiffersAndChangesNothing) {
  auto specs = wanted();
  ASSERT_TRUE(ensure_topics(*admin_, specs, kPatience));
  specs[0].config["retention.ms"] = "1000";
  specs[0].config["segment.bytes"] = "2097152";
  const auto reports = ensure_topics(*admin_, specs, kPatience).value();
  EXPECT_THAT(reports[0].differences,
              ElementsAre(TopicDifference{"retention.ms", "1000", "-1"},
                          TopicDifference{"segment.bytes", "2097152", "1073741824"}));
  EXPECT_FALSE(reports[0].wrong_partition_count());
  EXPECT_THAT(check_topics(*admin_, wanted(), kPatience).value()[0].differences, IsEmpty());
}

TEST_F(ProvisionerTest, RefusesAnotherPartitionCount) {
  ASSERT_TRUE(ensure_topics(*admin_, wanted(2), kPatience));
  const auto reports = ensure_topics(*admin_, wanted(3), kPatience).value();
  EXPECT_TRUE(std::ranges::all_of(reports, &TopicReport::wrong_partition_count));
  EXPECT_EQ(reports[0].partitions, 2);
}

TEST_F(ProvisionerTest, CheckSeesMissingTopics) {
  const auto specs = wanted();
  ASSERT_TRUE(ensure_topics(*admin_, std::span(specs).first(2), kPatience));
  const auto reports = check_topics(*admin_, specs, kPatience).value();
  EXPECT_EQ(reports[0].fate, TopicFate::kPresent);
  EXPECT_EQ(reports[1].fate, TopicFate::kPresent);
  EXPECT_EQ(reports[2].fate, TopicFate::kMissing);
}

TEST_F(ProvisionerTest, SaysWhatTheClusterRefuses) {
  auto specs = wanted();
  specs[0].replication_factor = 99;
  const auto made = ensure_topics(*admin_, specs, kPatience);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "topic-refused");
  EXPECT_THAT(made.error().message, HasSubstr(specs[0].name));
}

TEST_F(ProvisionerTest, WithoutABrokerItEndsInTime) {
  const auto admin = make_topic_admin({kNobody, "thumb-test", {}}, log_).value();
  const auto made = ensure_topics(*admin, wanted(), milliseconds(300));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().retry, Retry::kBackoff);
}

TEST_F(ProvisionerTest, ServicesLearnTheCountOrWhatIsWrong) {
  const auto specs = wanted();
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  const auto questions = make_admin(cluster(), log_).value();
  EXPECT_EQ(require_topics(*questions, names, kPatience).error().code, "topic-missing");
  ASSERT_TRUE(ensure_topics(*admin_, specs, kPatience));
  EXPECT_EQ(require_topics(*questions, names, kPatience).value(), 2);
  names.push_back(make_topic(3));
  EXPECT_EQ(require_topics(*questions, names, kPatience).error().code, "partition-counts-differ");
}

}  // namespace
}  // namespace thumb::kafka
