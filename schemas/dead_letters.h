// The headers that a dead letter carries, and those of a record that was sent again from one: what
// the processor writes, and what operators' tools go by. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/log_position.h"
#include "platform/result.h"

namespace thumb {

// Kafka Connect's set, all values text (KIP-298); what follows the prefix is a constant below.
inline constexpr std::string_view kErrorHeaderPrefix = "__connect.errors.";
// Spring's name for the same as `topic`: generic tools redrive by it.
inline constexpr std::string_view kOriginalTopicHeader = "kafka_dlt-original-topic";

// Of a redriven record, as text: how many times it was sent again by now, from which dead letter
// ("partition:offset" on the dead-letter topic), and why it had become one.
inline constexpr std::string_view kRedriveAttemptHeader = "thumb_redrive_attempt";
inline constexpr std::string_view kRedriveOfHeader = "thumb_redrive_of";
inline constexpr std::string_view kRedriveCauseHeader = "thumb_redrive_cause";

// Whether a header says what became of a record, and is none that it came with.
[[nodiscard]] bool is_about_failure(std::string_view header_name);

// The last header of that name: who adds one adds it at the end.
[[nodiscard]] std::optional<std::string_view> last_header(const std::vector<Header>& headers,
                                                          std::string_view name);

// 0 for a record that was never sent again, and for a header that is no number.
[[nodiscard]] std::uint32_t redrive_attempt(const std::vector<Header>& headers);
// The dead letter that a record was made of; nothing if it was not, or the header is malformed.
[[nodiscard]] std::optional<LogPosition> redrive_of(const std::vector<Header>& headers);

// The record that could not be handled.
struct DeadLetterOrigin {
  std::string topic;
  LogPosition position;
  friend bool operator==(const DeadLetterOrigin&, const DeadLetterOrigin&) = default;
};
// Error: kCorrupt/"no-origin" (never) if topic, partition or offset is missing or malformed.
[[nodiscard]] Result<DeadLetterOrigin> origin_of(const std::vector<Header>& headers);

// The value of kErrorHeaderPrefix + `name`; empty if it is not there.
[[nodiscard]] std::string_view error_header(const std::vector<Header>& headers,
                                            std::string_view name);

}  // namespace thumb
