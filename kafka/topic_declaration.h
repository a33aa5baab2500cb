// What the topics should be: kafka/topics.json, built into the binaries, as values. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.h"

namespace thumb::kafka {

// A topic as it should be on the cluster.
struct TopicSpec {
  std::string name;
  std::int32_t partitions = 0;
  std::int32_t replication_factor = 0;
  std::map<std::string, std::string> config;
  std::string purpose;
  friend bool operator==(const TopicSpec&, const TopicSpec&) = default;
};

// What differs between installations. Zero: as declared.
struct TopicOverrides {
  std::string prefix;
  std::int32_t partitions = 0;
  std::int32_t replication_factor = 0;
};

// A topic as it is on the cluster. `config` holds every setting of the topic, defaults included.
struct TopicState {
  std::string name;
  std::int32_t partitions = 0;
  std::int32_t replication_factor = 0;
  std::map<std::string, std::string> config;
  friend bool operator==(const TopicState&, const TopicState&) = default;
};

struct TopicDifference {
  std::string setting;  // a topic setting, "partitions" or "replication-factor"
  std::string wanted;
  std::string found;
  friend bool operator==(const TopicDifference&, const TopicDifference&) = default;
};

// kafka/topics.json as it was when this was built.
[[nodiscard]] std::string_view built_in_topics_json();

// Every topic of the declaration, in its order. All have one partition count, since the partition
// number of a key must be the same in all. min.insync.replicas follows from the replication factor:
// one replica may be away (at least 1). Error: kInvalid/"bad-topic-declaration" (never).
[[nodiscard]] Result<std::vector<TopicSpec>> declared_topics(std::string_view json,
                                                             const TopicOverrides& overrides);

// Empty if `found` is as wanted. Settings that the declaration doesn't name may be anything.
[[nodiscard]] std::vector<TopicDifference> differences(const TopicSpec& wanted,
                                                       const TopicState& found);

}  // namespace thumb::kafka
