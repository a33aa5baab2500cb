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

// What follows the prefix of an index key; a list's cursor is this in hex.
inline constexpr std::size_t kIndexPlaceBytes = 24;

[[nodiscard]] std::string row(const ImageId& id);
[[nodiscard]] std::optional<ImageId> parse_row(std::string_view key);

// All images that are there and not deleted; or those in one state, deleted ones included.
[[nodiscard]] std::string index_prefix(std::optional<ImageState> state);
// By acceptance, deleted ones by deletion. REQUIRES: row.visible().
[[nodiscard]] std::string index_place(const ImageRow& row);
[[nodiscard]] std::optional<ImageId> parse_index_place(std::string_view place);

[[nodiscard]] std::string counter(ImageState state);
[[nodiscard]] std::string unreadable_counter();

[[nodiscard]] std::string position(const ViewPartition& partition);
[[nodiscard]] std::optional<ViewPartition> parse_position(std::string_view key);

[[nodiscard]] std::string unreadable(const ViewPartition& partition, std::int64_t offset);
struct UnreadablePlace {
  ViewPartition partition;
  std::int64_t offset = 0;
};
[[nodiscard]] std::optional<UnreadablePlace> parse_unreadable(std::string_view key);

[[nodiscard]] std::string meta(std::string_view name);

// Values of counters and positions.
[[nodiscard]] std::string encode_number(std::int64_t value);
[[nodiscard]] std::optional<std::int64_t> decode_number(std::string_view bytes);

}  // namespace thumb::view_keys
