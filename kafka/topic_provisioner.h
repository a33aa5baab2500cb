// Brings the topics to what is declared, and tells where they are not.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/admin.h"
#include "kafka/topic_admin.h"
#include "platform/log.h"

namespace thumb::kafka {

enum class TopicFate { kPresent, kCreated, kMissing };

// How one topic stands against its declaration.
struct TopicReport {
  std::string topic;
  TopicFate fate = TopicFate::kMissing;
  std::int32_t partitions = 0;
  std::vector<TopicDifference> differences;

  // Keys would go to other partitions than everybody expects: nothing may start on it.
  [[nodiscard]] bool wrong_partition_count() const;
};

// What is there, compared; changes nothing.
[[nodiscard]] Result<std::vector<TopicReport>> check_topics(TopicAdmin& admin,
                                                            std::span<const TopicSpec> wanted,
                                                            std::chrono::milliseconds timeout);

// Creates what is missing and waits until it can be used. Repeating it, or running it in several
// processes at once, is harmless. Existing topics are compared and left as they are.
[[nodiscard]] Result<std::vector<TopicReport>> ensure_topics(TopicAdmin& admin,
                                                             std::span<const TopicSpec> wanted,
                                                             std::chrono::milliseconds timeout);

// What a service asks before it starts: do all `topics` exist, and with one partition count?
// Returns the count. Errors: kNotFound/"topic-missing", kConflict/"partition-counts-differ" (never;
// the message says what to do), those of Admin.
[[nodiscard]] Result<std::int32_t> require_topics(Admin& admin, std::span<const std::string> topics,
                                                  std::chrono::milliseconds timeout);

// The same, asked again until the broker answers and the topics are there: a service may be started
// before either. Tells in the log why it waits. Gives up after `limit` (at least one question is
// asked), on `stop`, and at once on what waiting can't mend (kConflict); then the last error.
[[nodiscard]] Result<std::int32_t> await_topics(Admin& admin, std::span<const std::string> topics,
                                                std::chrono::milliseconds limit,
                                                const std::stop_token& stop, Log& log);

}  // namespace thumb::kafka
