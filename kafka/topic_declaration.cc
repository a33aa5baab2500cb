// Reads the declaration strictly: a misspelt member must not silently mean the default.
#include "kafka/topic_declaration.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace thumb::kafka {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int32_t kMostPartitions = 10'000;
constexpr std::int32_t kMostReplicas = 100;

// Thrown within this file only; declared_topics() turns it into a Result.
struct Mistake {
  std::string text;
};

void allow_members(const Json& object, const std::string& where,
                   std::initializer_list<std::string_view> names) {
  if (!object.is_object()) throw Mistake{where + " is not an object"};
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(names, name) == names.end()) {
      throw Mistake{fmt::format("{} has an unknown member '{}'", where, name)};
    }
  }
}

std::int32_t count_member(const Json& object, const std::string& name, std::int32_t most) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_integer() || *member < 1 || *member > most) {
    throw Mistake{fmt::format("'{}' is not a number from 1 to {}", name, most)};
  }
  return member->get<std::int32_t>();
}

std::map<std::string, std::string> read_config(const Json& topic, const std::string& where) {
  std::map<std::string, std::string> config;
  const auto member = topic.find("config");
  if (member == topic.end() || !member->is_object()) throw Mistake{where + " has no config"};
  for (const auto& [name, value] : member->items()) {
    if (!value.is_string()) throw Mistake{fmt::format("{}: {} is not a string", where, name)};
    config.emplace(name, value.get<std::string>());
  }
  return config;
}

std::vector<TopicSpec> read_topics(std::string_view json, const TopicOverrides& overrides) {
  const auto root = Json::parse(json);
  allow_members(root, "the declaration", {"partitions", "replication_factor", "topics"});
  const auto partitions = count_member(root, "partitions", kMostPartitions);
  const auto replicas = count_member(root, "replication_factor", kMostReplicas);
  if (!root.contains("topics") || !root["topics"].is_object()) throw Mistake{"no topics"};
  std::vector<TopicSpec> topics;
  for (const auto& [name, topic] : root["topics"].items()) {
    allow_members(topic, name, {"purpose", "config"});
    TopicSpec spec;
    spec.name = overrides.prefix + name;
    spec.partitions = overrides.partitions > 0 ? overrides.partitions : partitions;
    spec.replication_factor =
        overrides.replication_factor > 0 ? overrides.replication_factor : replicas;
    spec.config = read_config(topic, name);
    spec.config.emplace("min.insync.replicas",
                        std::to_string(std::max(1, spec.replication_factor - 1)));
    spec.purpose = topic.value("purpose", "");
    topics.push_back(std::move(spec));
  }
  return topics;
}

}  // namespace

Result<std::vector<TopicSpec>> declared_topics(std::string_view json,
                                               const TopicOverrides& overrides) {
  std::string mistake;
  try {
    return read_topics(json, overrides);
  } catch (const Mistake& error) {
    mistake = error.text;
  } catch (const nlohmann::json::exception& error) {
    mistake = error.what();
  }
  return fail(ErrorKind::kInvalid, "bad-topic-declaration",
              "the topic declaration is not valid: " + mistake);
}

std::vector<TopicDifference> differences(const TopicSpec& wanted, const TopicState& found) {
  std::vector<TopicDifference> all;
  const auto compare = [&all](const std::string& setting, const std::string& want,
                              const std::string& have) {
    if (want != have) all.push_back({setting, want, have});
  };
  compare("partitions", std::to_string(wanted.partitions), std::to_string(found.partitions));
  compare("replication-factor", std::to_string(wanted.replication_factor),
          std::to_string(found.replication_factor));
  for (const auto& [name, value] : wanted.config) {
    const auto setting = found.config.find(name);
    compare(name, value, setting == found.config.end() ? "(none)" : setting->second);
  }
  return all;
}

}  // namespace thumb::kafka
