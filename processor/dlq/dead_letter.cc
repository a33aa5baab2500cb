#include "processor/dlq/dead_letter.h"

#include <fmt/format.h>

#include "kafka/partitioner.h"
#include "platform/text.h"

namespace thumb::dlq {
namespace {

constexpr std::size_t kMaxCauseBytes = 512;

}  // namespace

DeadLetter dead_letter_of(const InRecord& record) {
  DeadLetter letter;
  letter.position = record.position;
  letter.at = record.timestamp;
  letter.key = record.key;
  if (auto origin = origin_of(record.headers)) letter.origin = std::move(*origin);
  letter.stage = error_header(record.headers, "stage");
  letter.code = error_header(record.headers, "exception.class.name");
  letter.message = error_header(record.headers, "exception.message");
  letter.attempt = redrive_attempt(record.headers);
  letter.sent_from = redrive_of(record.headers);
  if (record.value) letter.value_bytes = record.value->size();
  return letter;
}

std::int32_t target_partition(const DeadLetter& letter, std::int32_t partitions) {
  return letter.key.empty() ? letter.origin->position.partition
                            : kafka::partition_for(letter.key, partitions);
}

OutRecord record_to_send(const InRecord& record, std::optional<std::string> value,
                         const TopicNames& names, std::int32_t partitions) {
  const DeadLetter letter = dead_letter_of(record);
  OutRecord out{names.of(Topic::kImageRequests),
                record.key,
                std::move(value),
                {},
                target_partition(letter, partitions)};
  for (const auto& header : record.headers) {
    if (!is_about_failure(header.name)) out.headers.push_back(header);
  }
  const std::string cause = letter.code + ": " + letter.message;
  out.headers.push_back(
      {std::string(kRedriveAttemptHeader), std::to_string(std::uint64_t{letter.attempt} + 1)});
  out.headers.push_back({std::string(kRedriveOfHeader), to_string(record.position)});
  out.headers.push_back({std::string(kRedriveCauseHeader), utf8_excerpt(cause, kMaxCauseBytes)});
  return out;
}

Result<Selection> parse_selection(std::string_view text) {
  const auto bad = fail(ErrorKind::kInvalid, "bad-selection",
                        "dead letters are named as partition:offset or partition:first-last, for "
                        "example 3:17 or 3:10-20");
  const auto dash = text.find('-');
  const auto first = parse_log_position(text.substr(0, dash));
  if (!first) return bad;
  if (dash == std::string_view::npos)
    return Selection{first->partition, first->offset, first->offset};
  const auto last = parse_u64(text.substr(dash + 1));
  const auto most = static_cast<std::uint64_t>(Selection().last);
  if (!last || *last > most || static_cast<std::int64_t>(*last) < first->offset) return bad;
  return Selection{first->partition, first->offset, static_cast<std::int64_t>(*last)};
}

}  // namespace thumb::dlq
