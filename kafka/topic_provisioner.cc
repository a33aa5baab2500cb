// Compare, create what is missing, wait until it is there, compare.
#include "kafka/topic_provisioner.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a new topic is looked for.
constexpr milliseconds kPollInterval{50};
constexpr milliseconds kQuestionLimit{3'000};  // one round of questions while waiting
constexpr milliseconds kQuestionPause{500};

milliseconds left(Deadline deadline) {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
}

std::vector<std::string> names_of(std::span<const TopicSpec> topics) {
  std::vector<std::string> names;
  for (const auto& topic : topics) names.push_back(topic.name);
  return names;
}

TopicReport report_on(const TopicSpec& wanted, const std::map<std::string, TopicState>& found) {
  TopicReport report;
  report.topic = wanted.name;
  const auto state = found.find(wanted.name);
  if (state == found.end()) return report;
  report.fate = TopicFate::kPresent;
  report.partitions = state->second.partitions;
  report.differences = differences(wanted, state->second);
  return report;
}

Result<std::vector<TopicReport>> wait_for_all(TopicAdmin& admin, std::span<const TopicSpec> wanted,
                                              Deadline deadline) {
  while (true) {
    auto reports = check_topics(admin, wanted, left(deadline));
    if (!reports) return reports;
    const auto missing = std::ranges::find(*reports, TopicFate::kMissing, &TopicReport::fate);
    if (missing == reports->end()) return reports;
    if (steady_clock::now() >= deadline) {
      return fail_transient(
          ErrorKind::kTimeout, "topic-not-ready",
          fmt::format("topic {} was created, but has no leader yet", missing->topic));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace

bool TopicReport::wrong_partition_count() const {
  return std::ranges::find(differences, "partitions", &TopicDifference::setting) !=
         differences.end();
}

Result<std::vector<TopicReport>> check_topics(TopicAdmin& admin, std::span<const TopicSpec> wanted,
                                              milliseconds timeout) {
  const auto found = admin.describe(names_of(wanted), timeout);
  if (!found) return tl::unexpected(found.error());
  std::vector<TopicReport> reports;
  for (const auto& topic : wanted) reports.push_back(report_on(topic, *found));
  return reports;
}

Result<std::vector<TopicReport>> ensure_topics(TopicAdmin& admin, std::span<const TopicSpec> wanted,
                                               milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  const auto before = check_topics(admin, wanted, timeout);
  if (!before) return before;
  std::vector<TopicSpec> missing;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if ((*before)[i].fate == TopicFate::kMissing) missing.push_back(wanted[i]);
  }
  if (missing.empty()) return before;
  if (auto created = admin.create(missing, left(deadline)); !created) {
    return tl::unexpected(created.error());
  }
  auto after = wait_for_all(admin, wanted, deadline);
  if (!after) return after;
  for (auto& report : *after) {
    if (std::ranges::find(missing, report.topic, &TopicSpec::name) != missing.end()) {
      report.fate = TopicFate::kCreated;
    }
  }
  return after;
}

Result<std::int32_t> require_topics(Admin& admin, std::span<const std::string> topics,
                                    milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  std::int32_t common = 0;
  for (const auto& topic : topics) {
    const auto count = admin.partition_count(topic, left(deadline));
    if (!count && count.error().kind == ErrorKind::kNotFound) {
      return fail(ErrorKind::kNotFound, "topic-missing",
                  fmt::format("topic {} does not exist: run 'topics ensure'", topic));
    }
    if (!count) return count;
    if (common == 0) common = *count;
    if (*count != common) {
      return fail(ErrorKind::kConflict, "partition-counts-differ",
                  fmt::format("topic {} has {} partitions, {} has {}; all must have one count: "
                              "'topics check' shows them, and what differs must be made anew",
                              topics.front(), common, topic, *count));
    }
  }
  return common;
}

Result<std::int32_t> await_topics(Admin& admin, std::span<const std::string> topics,
                                  milliseconds limit, const std::stop_token& stop, Log& log) {
  const auto deadline = steady_clock::now() + limit;
  std::mutex mutex;
  std::condition_variable_any pause;
  while (true) {
    auto count = require_topics(admin, topics, kQuestionLimit);
    const bool can_mend = !count && count.error().kind != ErrorKind::kConflict;
    if (!can_mend || steady_clock::now() >= deadline || stop.stop_requested()) return count;
    log.warn("waiting for Kafka and its topics", {{"code", count.error().code},
                                                  {"error", count.error().message},
                                                  {"detail", count.error().detail}});
    std::unique_lock lock(mutex);
    pause.wait_for(lock, stop, kQuestionPause, [] { return false; });
  }
}

}  // namespace thumb::kafka
