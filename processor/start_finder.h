// Where to begin with a partition that was just assigned. There is no silent start: without a
// committed offset, work begins at the beginning only if it never was begun before.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "platform/clock.h"
#include "schemas/topology.h"

namespace thumb {

struct PartitionStart {
  kafka::TopicPartition tp;
  std::int64_t handle_from = 0;  // the first record to work on
  std::int64_t read_from = 0;    // lower: what lies between warms up the repeat filter
};

struct StartOptions {
  std::string group_id;                       // for the message of a refusal
  std::string bootstrap;                      // the same
  std::chrono::milliseconds timeout{20'000};  // for all questions about one assignment
};

// For one thread. Blocks up to the time-out.
class StartFinder {
 public:
  // REQUIRES: all but `names` and `options` outlive it. `reader` is used by nobody else.
  StartFinder(TopicNames names, kafka::Admin& admin, kafka::PartitionReader& reader,
              const Clock& clock, StartOptions options);

  // `committed` as GroupConsumer::committed answers: -1 where the group has no offset.
  // A `stop` ends the wait for an answer within seconds.
  // Errors: kConflict/"group-offset-missing" (never: an operator must set the offset; the message
  // says how), kNotFound/"offset-out-of-range" (the same), kTimeout/"start-timeout" and those of
  // the ports (back off).
  [[nodiscard]] Result<std::vector<PartitionStart>> find(
      std::span<const kafka::PartitionOffset> committed, const std::stop_token& stop);

 private:
  // How long a wait may last.
  struct Limit {
    std::chrono::steady_clock::time_point deadline;
    const std::stop_token& stop;
  };

  [[nodiscard]] Result<void> settle_unknown(std::vector<kafka::PartitionOffset>& starts,
                                            const Limit& limit);
  [[nodiscard]] Result<std::vector<kafka::PartitionOffset>> outputs_of(
      std::span<const std::int32_t> partitions, const Limit& limit);
  [[nodiscard]] Result<std::vector<std::int32_t>> with_outputs(
      std::span<const std::int32_t> partitions, const Limit& limit);
  [[nodiscard]] Result<std::map<kafka::TopicPartition, TimeMs>> times_at(
      std::span<const kafka::PartitionOffset> starts, const Limit& limit);
  [[nodiscard]] Result<std::int64_t> warm_up_from(const kafka::PartitionOffset& start, TimeMs at,
                                                  const Limit& limit);
  [[nodiscard]] std::map<std::int32_t, std::int64_t> answered(
      std::span<const std::int32_t> partitions, const std::stop_token& stop);
  [[nodiscard]] Result<std::map<kafka::TopicPartition, kafka::Watermarks>> watermarks_of(
      std::span<const kafka::TopicPartition> partitions, const Limit& limit);
  template <typename Question>
  [[nodiscard]] static auto ask(const Limit& limit, const Question& question);
  [[nodiscard]] Failure refusal(std::span<const std::int32_t> partitions,
                                const std::map<std::int32_t, std::int64_t>& answered) const;
  [[nodiscard]] Failure outside_log(std::span<const kafka::PartitionOffset> starts,
                                    const Error& found, const Limit& limit);
  // For an operator. What is not known is left to be filled in.
  [[nodiscard]] std::string command_that_sets(
      const std::map<std::int32_t, std::optional<std::int64_t>>& offsets) const;

  TopicNames names_;
  kafka::Admin& admin_;
  kafka::PartitionReader& reader_;
  const Clock& clock_;
  StartOptions options_;
};

}  // namespace thumb
