// Where a record stands in a partitioned log, and the plain record that crosses between the layers:
// `schemas` gives it meaning, `kafka` moves it, and neither needs to know the other.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock.h"
#include "platform/result.h"

namespace thumb {

// One record of a topic that the context names. Written "partition:offset" on the wire
// (headers Position and Min-Position).
struct LogPosition {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

[[nodiscard]] std::string to_string(LogPosition position);
[[nodiscard]] Result<LogPosition> parse_log_position(std::string_view text);

template <typename Text>
struct BasicHeader {
  Text name;
  Text value;
  friend bool operator==(const BasicHeader&, const BasicHeader&) = default;
};
using Header = BasicHeader<std::string>;

// A record on its way to the log. A missing value is a tombstone.
struct OutRecord {
  std::string topic;
  std::string key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  // Set only to pin a record to its cause's partition; otherwise the key decides (murmur2).
  std::optional<std::int32_t> partition;
};

// A record read from the log. `timestamp` is the broker's append time on our topics.
template <typename Text>
struct BasicInRecord {
  Text topic;
  LogPosition position;
  TimeMs timestamp;
  Text key;
  std::optional<Text> value;
  std::vector<BasicHeader<Text>> headers;
};
// To be kept: its texts are its own.
using InRecord = BasicInRecord<std::string>;
// To be read while its giver keeps the bytes (which says how long): a reader of millions copies
// none that it does not want.
using RecordView = BasicInRecord<std::string_view>;

[[nodiscard]] InRecord owned(const RecordView& record);
// Of a record that must outlive the view, and stay as it is.
[[nodiscard]] RecordView view_of(const InRecord& record);

}  // namespace thumb
