// Decisions of the provisioner against a cluster of plain values.
#include "kafka/topic_provisioner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds kPatience{10'000};

const std::vector<TopicSpec> kWanted = {{"a", 2, 1, {{"retention.ms", "-1"}}, ""},
                                        {"b", 2, 1, {{"retention.ms", "-1"}}, ""}};

TopicState as_wanted(const TopicSpec& spec) {
  return {spec.name, spec.partitions, spec.replication_factor, spec.config};
}

// New topics show up after `hidden_looks` further looks, as on a real cluster.
class FakeCluster final : public TopicAdmin {
 public:
  std::map<std::string, TopicState> topics;
  std::vector<std::string> created;
  int hidden_looks = 0;
  std::optional<Error> refuse;

  Result<std::map<std::string, TopicState>> describe(std::span<const std::string> names,
                                                     milliseconds) override {
    if (!created.empty() && hidden_looks > 0) {
      --hidden_looks;
      return std::map<std::string, TopicState>{};
    }
    std::map<std::string, TopicState> found;
    for (const auto& name : names) {
      if (topics.contains(name)) found[name] = topics[name];
    }
    return found;
  }

  Result<void> create(std::span<const TopicSpec> specs, milliseconds) override {
    if (refuse) return tl::unexpected(*refuse);
    for (const auto& spec : specs) {
      created.push_back(spec.name);
      topics.emplace(spec.name, as_wanted(spec));  // one that is there stays as it is
    }
    return {};
  }
};

TEST(EnsureTopics, CreatesWhatIsMissingOnly) {
  FakeCluster cluster;
  cluster.topics["a"] = as_wanted(kWanted[0]);
  const auto reports = ensure_topics(cluster, kWanted, kPatience).value();
  EXPECT_THAT(cluster.created, ElementsAre("b"));
  EXPECT_EQ(reports[0].fate, TopicFate::kPresent);
  EXPECT_EQ(reports[1].fate, TopicFate::kCreated);
  EXPECT_EQ(reports[1].partitions, 2);
}

TEST(EnsureTopics, DoesNothingTheSecondTime) {
  FakeCluster cluster;
  ASSERT_TRUE(ensure_topics(cluster, kWanted, kPatience));
  cluster.created.clear();
  const auto reports = ensure_topics(cluster, kWanted, kPatience).value();
  EXPECT_THAT(cluster.created, IsEmpty());
  for (const auto& report : reports) {
    EXPECT_EQ(report.fate, TopicFate::kPresent);
    EXPECT_THAT(report.differences, IsEmpty());
  }
}

TEST(EnsureTopics, WaitsUntilNewTopicsCanBeUsed) {
  FakeCluster cluster;
  cluster.hidden_looks = 3;
  const auto reports = ensure_topics(cluster, kWanted, kPatience).value();
  EXPECT_EQ(cluster.hidden_looks, 0);
  EXPECT_EQ(reports[0].fate, TopicFate::kCreated);
}

TEST(EnsureTopics, SaysWhichTopicNeverCame) {
  FakeCluster cluster;
  cluster.hidden_looks = 1'000'000;
  const auto reports = ensure_topics(cluster, kWanted, milliseconds(100));
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().code, "topic-not-ready");
  EXPECT_THAT(reports.error().message, HasSubstr("topic a"));
}

TEST(EnsureTopics, LeavesOtherSettingsAloneAndReportsThem) {
  FakeCluster cluster;
  cluster.topics["a"] = {"a", 2, 1, {{"retention.ms", "1000"}}};
  cluster.topics["b"] = as_wanted(kWanted[1]);
  const auto reports = ensure_topics(cluster, kWanted, kPatience).value();
  EXPECT_THAT(reports[0].differences, ElementsAre(TopicDifference{"retention.ms", "-1", "1000"}));
  EXPECT_FALSE(reports[0].wrong_partition_count());
  EXPECT_THAT(reports[1].differences, IsEmpty());
  EXPECT_EQ(cluster.topics["a"].config["retention.ms"], "1000");
}

TEST(EnsureTopics, TellsAWrongPartitionCountFromAWrongSetting) {
  FakeCluster cluster;
  cluster.topics["a"] = {"a", 3, 1, {{"retention.ms", "-1"}}};
  const auto reports = ensure_topics(cluster, kWanted, kPatience).value();
  EXPECT_TRUE(reports[0].wrong_partition_count());
  EXPECT_EQ(reports[0].partitions, 3);
}

TEST(EnsureTopics, PassesARefusalOn) {
  FakeCluster cluster;
  cluster.refuse = Error{ErrorKind::kInvalid, Retry::kNever, "topic-refused", "no", ""};
  const auto reports = ensure_topics(cluster, kWanted, kPatience);
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().code, "topic-refused");
}

TEST(CheckTopics, CreatesNothing) {
  FakeCluster cluster;
  const auto reports = check_topics(cluster, kWanted, kPatience).value();
  EXPECT_THAT(cluster.created, IsEmpty());
  EXPECT_EQ(reports[0].fate, TopicFate::kMissing);
  EXPECT_EQ(reports[1].fate, TopicFate::kMissing);
}

class FakeAdmin final : public Admin {
 public:
  std::map<std::string, Result<std::int32_t>> counts;

  Result<std::int32_t> partition_count(const std::string& topic, milliseconds) override {
    if (counts.contains(topic)) return counts.at(topic);
    return fail(ErrorKind::kNotFound, "unknown-topic", "");
  }
  Result<std::string> cluster_id(milliseconds) override { return "id"; }
  Result<Watermarks> watermarks(const TopicPartition&, milliseconds) override {
    return Watermarks{};
  }
  Result<std::int64_t> offset_for_time(const TopicPartition&, TimeMs, milliseconds) override {
    return 0;
  }
};

const std::vector<std::string> kNames = {"a", "b", "c"};

TEST(RequireTopics, ReturnsTheCommonCount) {
  FakeAdmin admin;
  for (const auto& name : kNames) admin.counts[name] = 12;
  EXPECT_EQ(require_topics(admin, kNames, kPatience).value(), 12);
}

TEST(RequireTopics, SaysHowToMakeAMissingTopic) {
  FakeAdmin admin;
  admin.counts["a"] = 12;
  const auto count = require_topics(admin, kNames, kPatience);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, "topic-missing");
  EXPECT_THAT(count.error().message, HasSubstr("topic b"));
  EXPECT_THAT(count.error().message, HasSubstr("topics ensure"));
}

TEST(RequireTopics, RefusesDifferentCounts) {
  FakeAdmin admin;
  admin.counts = {{"a", 12}, {"b", 12}, {"c", 6}};
  const auto count = require_topics(admin, kNames, kPatience);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, "partition-counts-differ");
  EXPECT_THAT(count.error().message, HasSubstr("c has 6"));
}

TEST(RequireTopics, AnUnreachableBrokerIsNoMissingTopic) {
  FakeAdmin admin;
  admin.counts["a"] = fail_transient(ErrorKind::kTimeout, "kafka-timeout", "");
  const auto count = require_topics(admin, kNames, kPatience);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, "kafka-timeout");
  EXPECT_EQ(count.error().retry, Retry::kBackoff);
}

}  // namespace
}  // namespace thumb::kafka
