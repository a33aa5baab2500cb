#include "schemas/topology.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "schemas/codec.h"
#include "tests/support/event_samples.h"

namespace thumb {
namespace {

TEST(Topology, EveryTopicHasItsRoleInItsPlace) {
  ASSERT_EQ(topology().size(), kAllTopics.size());
  for (const auto topic : kAllTopics) EXPECT_EQ(role_of(topic).topic, topic);
}

TEST(Topology, NamesAreFoundBehindTheirPrefixOnly) {
  const TopicNames names("blue-");
  for (const auto topic : kAllTopics) EXPECT_EQ(names.find(names.of(topic)), topic);
  EXPECT_EQ(names.of(Topic::kImageRequests), "blue-image-requests");
  EXPECT_FALSE(names.find("image-requests"));
  EXPECT_FALSE(names.find("blue-image-requests-dlq-dlq"));
  EXPECT_EQ(TopicNames().of(Topic::kImageRequests), "image-requests");
}

TEST(Topology, EveryEventIsDeclaredOnTheTopicItGoesTo) {
  for (const auto& event : testing::one_of_each()) {
    const auto declared = role_of(topic_of(event)).event_names;
    EXPECT_NE(std::ranges::find(declared, event_name(event)), declared.end()) << event_name(event);
  }
}

TEST(Topology, OnlyTheProcessorWritesInATransaction) {
  for (const auto& role : topology()) {
    if (!role.transactional) continue;
    EXPECT_TRUE(std::ranges::all_of(role.writers, [](Service s) {
      return s == Service::kProcessor;
    })) << role.name;
  }
}

}  // namespace
}  // namespace thumb
