#include "processor/dlq/dead_letter_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kafka/topic_provisioner.h"

namespace thumb::dlq {

Result<std::int32_t> DeadLetterLog::partitions() {
  const std::string topics[] = {names_.of(Topic::kImageRequests),
                                names_.of(Topic::kImageRequestsDlq)};
  return kafka::require_topics(ports_.admin, topics, options_.ask_timeout);
}

Result<void> DeadLetterLog::read(const Selection& selection, const Take& take) {
  const auto count = partitions();
  if (!count) return Failure(count.error());
  std::vector<kafka::Stretch> stretches;
  for (std::int32_t number = 0; number < *count; ++number) {
    if (selection.partition.value_or(number) != number) continue;
    const kafka::TopicPartition tp{names_.of(Topic::kImageRequestsDlq), number};
    const auto marks = ports_.admin.watermarks(tp, options_.ask_timeout);
    if (!marks) return Failure(marks.error());
    stretches.push_back(
        {tp, std::max(marks->low, selection.first), std::min(marks->high, selection.last + 1)});
  }
  return kafka::read_stretches(ports_.letters, stretches, take, options_.reading, stop_);
}

Result<DeadLetterLog::SentAgain> DeadLetterLog::sent_again(std::span<const DeadLetter> letters) {
  const auto count = partitions();
  if (!count) return Failure(count.error());
  std::map<std::int32_t, TimeMs> oldest;
  for (const auto& letter : letters) {
    if (!letter.origin) continue;
    const auto [known, is_new] = oldest.try_emplace(target_partition(letter, *count), letter.at);
    if (!is_new) known->second = std::min(known->second, letter.at);
  }
  std::vector<kafka::Stretch> stretches;
  for (const auto& [number, at] : oldest) {
    const kafka::TopicPartition tp{names_.of(Topic::kImageRequests), number};
    const auto from =
        ports_.admin.offset_for_time(tp, at - options_.clock_margin, options_.ask_timeout);
    if (!from) return Failure(from.error());
    const auto marks = ports_.admin.watermarks(tp, options_.ask_timeout);
    if (!marks) return Failure(marks.error());
    stretches.push_back({tp, std::max(*from, marks->low), marks->high});
  }
  SentAgain sent;
  const auto note = [&sent](const InRecord& record) -> Result<void> {
    if (const auto letter = redrive_of(record.headers)) sent.try_emplace(*letter, record.position);
    return {};
  };
  auto read = kafka::read_stretches(ports_.requests, stretches, note, options_.reading, stop_);
  if (!read) return Failure(read.error());
  return sent;
}

Result<InRecord> DeadLetterLog::original(const DeadLetterOrigin& origin) {
  const auto gone = [&] {
    return fail(
        ErrorKind::kNotFound, "original-gone",
        fmt::format("{} {} is no longer in the log", origin.topic, to_string(origin.position)));
  };
  if (origin.topic != names_.of(Topic::kImageRequests)) return gone();
  const kafka::TopicPartition tp{origin.topic, origin.position.partition};
  const auto marks = ports_.admin.watermarks(tp, options_.ask_timeout);
  if (!marks) return Failure(marks.error());
  const std::int64_t offset = origin.position.offset;
  if (offset < marks->low || offset >= marks->high) return gone();
  std::optional<InRecord> found;
  const kafka::Stretch stretch{tp, offset, offset + 1};
  auto read = kafka::read_stretches(
      ports_.requests, std::span(&stretch, 1),
      [&](const InRecord& record) -> Result<void> {
        found = record;
        return {};
      },
      options_.reading, stop_);
  if (!read) return Failure(read.error());
  if (!found) return gone();
  return std::move(*found);
}

}  // namespace thumb::dlq
