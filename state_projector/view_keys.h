// Where the view keeps what: the key layout of docs/view_format.md. Pure.
//
// The first byte says what a key holds; numbers are big-endian, so that byte order is number order;
// index keys hold the complement of (time, id), so that the newest comes first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/ids.h"
#include "schemas/row.h"
#include "state_projector/positions.h"

namespace thumb::view_keys {

inline constexpr std::string_view kRows = "r";
inline constexpr std::string_view kPositions = "p";
inline constexpr std::string_view kUnreadable = "u";
inline constexpr std::string_view kChanges = "f";
// Of the index of images that are there and not deleted, and of that of all visible ones by state.
inline constexpr std::string_view kByAcceptance = "a";
inline constexpr std::string_view kByState = "s";

// One record of one topic.
struct LogPlace {
  ViewPartition partition;
  std::int64_t offset = 0;
};

// What follows the prefix of an index key; a list's cursor is this in hex.
inline constexpr std::size_t kIndexPlaceBytes = 24;

[[nodiscard]] std::string row(const ImageId& id);
[[nodiscard]] std::optional<ImageId> parse_row(std::string_view key);

// All images that are there and not deleted; or those in one state, deleted ones included.
[[nodiscard]] std::string index_prefix(std::optional<ImageState> state);
// By acceptance, deleted ones by deletion. REQUIRES: row.visible().
[[nodiscard]] std::string index_place(const ImageRow& row);
[[nodiscard]] std::optional<ImageId> parse_index_place(std::string_view place);

// A record of an image's history; by topic, partition and offset behind the image's prefix.
[[nodiscard]] std::string history_prefix(const ImageId& id);
[[nodiscard]] std::string history(const ImageId& id, const ViewPartition& partition,
                                  std::int64_t offset);
// Which image's history the key belongs to.
[[nodiscard]] std::optional<ImageId> parse_history_image(std::string_view key);
// REQUIRES: the key starts with history_prefix() of its image.
[[nodiscard]] std::optional<LogPlace> parse_history(std::string_view key);

// An entry of the change feed. The first has the number 1.
[[nodiscard]] std::string change(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> parse_change(std::string_view key);
// Number of the newest entry ever written; absent: 0, and the view has never served.
[[nodiscard]] std::string last_change();

[[nodiscard]] std::string counter(ImageState state);
[[nodiscard]] std::string unreadable_counter();

[[nodiscard]] std::string position(const ViewPartition& partition);
[[nodiscard]] std::optional<ViewPartition> parse_position(std::string_view key);

[[nodiscard]] std::string unreadable(const ViewPartition& partition, std::int64_t offset);
[[nodiscard]] std::optional<LogPlace> parse_unreadable(std::string_view key);

[[nodiscard]] std::string meta(std::string_view name);

// Values of counters and positions.
[[nodiscard]] std::string encode_number(std::int64_t value);
[[nodiscard]] std::optional<std::int64_t> decode_number(std::string_view bytes);

}  // namespace thumb::view_keys
