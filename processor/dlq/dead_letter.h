// A dead letter as an operator sees it, and the record that is sent again from it. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/dead_letters.h"
#include "schemas/topology.h"

namespace thumb::dlq {

struct DeadLetter {
  LogPosition position;  // on image-requests-dlq
  TimeMs at;
  std::string key;                         // any bytes
  std::optional<DeadLetterOrigin> origin;  // none: the processor did not write it
  std::string stage;
  std::string code;
  std::string message;
  std::uint32_t attempt = 0;             // how many times its record had been sent again before
  std::optional<LogPosition> sent_from;  // the dead letter that its record was sent again from
  std::optional<std::size_t> value_bytes;
};

[[nodiscard]] DeadLetter dead_letter_of(const InRecord& record);

// Where a record made of it belongs: by its key, as every record of that key; without a key, where
// it stood. REQUIRES: it has an origin; partitions > 0.
[[nodiscard]] std::int32_t target_partition(const DeadLetter& letter, std::int32_t partitions);

// The record as it was, error headers left out, plus which attempt this is, of which dead letter,
// and why that was one. `value` is the original's. REQUIRES: `record` has an origin.
[[nodiscard]] OutRecord record_to_send(const InRecord& record, std::optional<std::string> value,
                                       const TopicNames& names, std::int32_t partitions);

// Which dead letters are meant: "3:17", "3:10-20" (both included), or all.
struct Selection {
  std::optional<std::int32_t> partition;  // none: of every partition
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max() - 1;

  [[nodiscard]] bool is_one() const { return partition && first == last; }
};
// Error: kInvalid/"bad-selection".
[[nodiscard]] Result<Selection> parse_selection(std::string_view text);

}  // namespace thumb::dlq
