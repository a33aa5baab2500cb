// `topics`: the operator's tool for the topics of one installation.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "kafka/cluster_config.h"
#include "kafka/topic_provisioner.h"

namespace thumb::kafka {
namespace {

struct Options {
  CommonSettings common;
  std::int64_t partitions = 0;
  std::int64_t replication_factor = 0;
  std::chrono::milliseconds wait{30'000};
};

constexpr const char* kDescription =
    "Creates and checks the topics of this installation as kafka/topics.json declares them.\n"
    "Exit codes: 0 as declared (ensure: settings may differ, which is printed), 1 a topic is "
    "missing,\n"
    "has another partition count or (check) any difference, or Kafka can't be reached, 2 usage.";

void declare(Settings& settings, Options& options) {
  options.common.declare(settings);
  settings.integer("--partitions", options.partitions, 0, 10'000,
                   "Partitions of every topic, at creation and in checks; 0: as declared");
  settings.integer("--replication-factor", options.replication_factor, 0, 100,
                   "Copies of every partition; 0: as declared. 3 for a cluster");
  settings.duration_ms("--wait-ms", options.wait, std::chrono::milliseconds(1),
                       std::chrono::minutes(10), "How long to wait for Kafka to answer");
  settings.app().require_subcommand(1);
  settings.app().add_subcommand("ensure", "Create what is missing, report what differs");
  settings.app().add_subcommand("check", "Report what is missing or differs; change nothing");
  settings.app().add_subcommand("list", "Print the declared topics; asks no broker");
}

std::string_view fate_name(TopicFate fate) {
  switch (fate) {
    case TopicFate::kPresent:
      return "present";
    case TopicFate::kCreated:
      return "created";
    case TopicFate::kMissing:
      return "missing";
  }
  return "missing";
}

void print(const TopicReport& report) {
  if (report.fate == TopicFate::kMissing) {
    fmt::print("{}: missing\n", report.topic);
    return;
  }
  fmt::print("{}: {}, {} partitions\n", report.topic, fate_name(report.fate), report.partitions);
  for (const auto& [setting, wanted, found] : report.differences) {
    fmt::print("{}: differs: {} is {}, wanted {}\n", report.topic, setting, found, wanted);
  }
}

void print(const TopicSpec& topic) {
  fmt::print("{}: {} partitions, {} replicas: {}\n", topic.name, topic.partitions,
             topic.replication_factor, topic.purpose);
  for (const auto& [setting, value] : topic.config) fmt::print("  {}={}\n", setting, value);
}

int failed(const Error& error) {
  fmt::print(stderr, "topics: {}{}{}\n", error.message, error.detail.empty() ? "" : " - ",
             error.detail);
  return kExitRuntime;
}

int judge(std::span<const TopicReport> reports, bool strict) {
  const auto is_bad = [strict](const TopicReport& report) {
    return report.fate == TopicFate::kMissing || report.wrong_partition_count() ||
           (strict && !report.differences.empty());
  };
  if (std::ranges::any_of(reports, &TopicReport::wrong_partition_count)) {
    fmt::print(stderr,
               "topics: a topic has another partition count than wanted. Keys would go to other "
               "partitions: set THUMB_PARTITIONS to the count that the topics have, or start with "
               "new topics (another THUMB_TOPIC_PREFIX)\n");
  }
  return std::ranges::any_of(reports, is_bad) ? kExitRuntime : kExitClean;
}

int run(const Options& options, bool ensure, std::span<const TopicSpec> wanted) {
  Log log("topics", options.common.level());
  auto admin = make_topic_admin(cluster_config(options.common, "thumbstream-topics"), log);
  if (!admin) return failed(admin.error());
  const auto reports = ensure ? ensure_topics(**admin, wanted, options.wait)
                              : check_topics(**admin, wanted, options.wait);
  if (!reports) return failed(reports.error());
  for (const auto& report : *reports) print(report);
  return judge(*reports, !ensure);
}

int main_of(int argc, const char* const* argv) {
  Options options;
  Settings settings("topics", kDescription);
  declare(settings, options);
  if (const auto exit = settings.parse(argc, argv)) {
    fmt::print(exit->exit_code == kExitClean ? stdout : stderr, "{}", exit->text);
    return exit->exit_code;
  }
  const auto wanted =
      declared_topics(built_in_topics_json(),
                      {options.common.topic_prefix, static_cast<std::int32_t>(options.partitions),
                       static_cast<std::int32_t>(options.replication_factor)});
  if (!wanted) return failed(wanted.error());
  if (settings.app().got_subcommand("list")) {
    for (const auto& topic : *wanted) print(topic);
    return kExitClean;
  }
  return run(options, settings.app().got_subcommand("ensure"), *wanted);
}

}  // namespace
}  // namespace thumb::kafka

int main(int argc, char** argv) { return thumb::kafka::main_of(argc, argv); }
