#include "kafka/topic_declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thumb::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSmall = R"({
  "partitions": 4, "replication_factor": 1,
  "topics": {"b": {"purpose": "beta", "config": {"retention.ms": "-1"}}, "a": {"config": {}}}})";

std::vector<TopicSpec> built_in(const TopicOverrides& overrides = {}) {
  return declared_topics(built_in_topics_json(), overrides).value();
}

const TopicSpec& named(const std::vector<TopicSpec>& topics, const std::string& name) {
  for (const auto& topic : topics) {
    if (topic.name == name) return topic;
  }
  throw std::out_of_range(name);
}

TEST(TopicDeclaration, ReadsTopicsInTheirOrder) {
  const auto topics = declared_topics(kSmall, {}).value();
  ASSERT_EQ(topics.size(), 2U);
  EXPECT_EQ(topics[0],
            (TopicSpec{"b", 4, 1, {{"min.insync.replicas", "1"}, {"retention.ms", "-1"}}, "beta"}));
  EXPECT_EQ(topics[1], (TopicSpec{"a", 4, 1, {{"min.insync.replicas", "1"}}, ""}));
}

TEST(TopicDeclaration, AppliesPrefixAndCounts) {
  const auto topics = declared_topics(kSmall, {"test-", 48, 3}).value();
  EXPECT_EQ(topics[0].name, "test-b");
  EXPECT_EQ(topics[0].partitions, 48);
  EXPECT_EQ(topics[1].partitions, 48);
  EXPECT_EQ(topics[0].replication_factor, 3);
}

TEST(TopicDeclaration, OneReplicaMayBeAway) {
  for (const auto& [replicas, wanted] : {std::pair{1, "1"}, {2, "1"}, {3, "2"}, {5, "4"}}) {
    EXPECT_EQ(
        declared_topics(kSmall, {"", 0, replicas}).value()[0].config.at("min.insync.replicas"),
        wanted);
  }
}

TEST(TopicDeclaration, RefusesWhatItDoesNotUnderstand) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "parse error"},
      {"[]", "not an object"},
      {R"({"replication_factor": 1, "topics": {}})", "'partitions'"},
      {R"({"partitions": 0, "replication_factor": 1, "topics": {}})", "'partitions'"},
      {R"({"partitions": 1.5, "replication_factor": 1, "topics": {}})", "'partitions'"},
      {R"({"partitions": 99999999999999, "replication_factor": 1, "topics": {}})", "'partitions'"},
      {R"({"partitions": 1, "replication_factor": "1", "topics": {}})", "'replication_factor'"},
      {R"({"partitions": 1, "replication_factor": 1})", "no topics"},
      {R"({"partitions": 1, "replication_factor": 1, "topics": []})", "no topics"},
      {R"({"partitions": 1, "replication_factor": 1, "topics": {}, "partition": 2})",
       "'partition'"},
      {R"({"partitions": 1, "replication_factor": 1, "topics": {"a": {}}})", "no config"},
      {R"({"partitions": 1, "replication_factor": 1, "topics": {"a": {"config": {"x": 1}}}})",
       "x is not a string"},
      {R"({"partitions": 1, "replication_factor": 1, "topics": {"a": {"config": {}, "retention": "1"}}})",
       "'retention'"},
  };
  for (const auto& [json, reason] : cases) {
    const auto topics = declared_topics(json, {});
    ASSERT_FALSE(topics) << json;
    EXPECT_EQ(topics.error().code, "bad-topic-declaration") << json;
    EXPECT_EQ(topics.error().retry, Retry::kNever) << json;
    EXPECT_THAT(topics.error().message, HasSubstr(reason)) << json;
  }
}

// The promises of the log (DESIGN: "the log is the state") rest on these values.
TEST(BuiltInTopics, TheStateIsKeptForever) {
  const auto topics = built_in();
  for (const char* name : {"image-requests", "thumbnail-completed", "thumbnail-failed"}) {
    const auto& config = named(topics, name).config;
    EXPECT_EQ(config.at("cleanup.policy"), "delete") << name;
    EXPECT_EQ(config.at("retention.ms"), "-1") << name;
    EXPECT_EQ(config.at("retention.bytes"), "-1") << name;
  }
}

TEST(BuiltInTopics, EveryTopicHasLogTimesAndZstd) {
  const auto topics = built_in();
  ASSERT_EQ(topics.size(), 6U);
  for (const auto& topic : topics) {
    EXPECT_EQ(topic.config.at("message.timestamp.type"), "LogAppendTime") << topic.name;
    EXPECT_EQ(topic.config.at("compression.type"), "zstd") << topic.name;
    EXPECT_EQ(topic.config.at("unclean.leader.election.enable"), "false") << topic.name;
    EXPECT_EQ(topic.partitions, 12) << topic.name;
    EXPECT_EQ(topic.replication_factor, 1) << topic.name;
    EXPECT_FALSE(topic.purpose.empty()) << topic.name;
  }
}

TEST(BuiltInTopics, HintsEndAndPersonalFieldsAreErased) {
  const auto topics = built_in();
  EXPECT_EQ(named(topics, "thumbnail-started").config.at("retention.ms"),
            std::to_string(7LL * 24 * 3600 * 1000));
  const auto& personal = named(topics, "image-private").config;
  EXPECT_EQ(personal.at("cleanup.policy"), "compact");
  EXPECT_EQ(personal.at("max.compaction.lag.ms"), "86400000");
}

TEST(BuiltInTopics, ADeadLetterFitsWhateverCouldBeRequested) {
  constexpr int kKafkaDefaultLimit = 1'048'588;
  const auto topics = built_in();
  EXPECT_FALSE(named(topics, "image-requests").config.contains("max.message.bytes"));
  EXPECT_GT(std::stoi(named(topics, "image-requests-dlq").config.at("max.message.bytes")),
            kKafkaDefaultLimit + 65'536);
}

TEST(TopicDifferences, NoneWhenAllIsAsWanted) {
  const TopicSpec wanted{"t", 4, 1, {{"retention.ms", "-1"}}, ""};
  EXPECT_THAT(differences(wanted, {"t", 4, 1, {{"retention.ms", "-1"}, {"segment.ms", "1"}}}),
              IsEmpty());
}

TEST(TopicDifferences, NamesEachSettingWithBothValues) {
  const TopicSpec wanted{"t", 4, 3, {{"a", "1"}, {"b", "2"}, {"c", "3"}}, ""};
  EXPECT_THAT(differences(wanted, {"t", 5, 1, {{"a", "1"}, {"b", "0"}}}),
              ElementsAre(TopicDifference{"partitions", "4", "5"},
                          TopicDifference{"replication-factor", "3", "1"},
                          TopicDifference{"b", "2", "0"}, TopicDifference{"c", "3", "(none)"}));
}

}  // namespace
}  // namespace thumb::kafka
