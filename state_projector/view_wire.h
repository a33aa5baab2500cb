// How the view's questions and answers travel between processes: paths and bytes. Pure.
//
// GET, parameters in the query; an answer is status 200 and the bytes below, in the primitives of
// schemas/byte_codec.h. 204 where there is nothing, 400 for a bad cursor, 503 without a view. The
// version in the path is that of rows and of this protocol; another one is 404.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.h"
#include "state_projector/view_reader.h"

namespace thumb::view_wire {

[[nodiscard]] std::string row_path(const ImageId& id);
[[nodiscard]] std::string list_path(const ListQuery& query);
[[nodiscard]] std::string history_path(const ImageId& id);
[[nodiscard]] std::string stats_path();
[[nodiscard]] std::string changes_path(std::uint64_t after, std::size_t limit);

// Asks to be answered, with stats, once a partition is at `next_offset` or the time is over.
struct Wait {
  ViewPartition partition;  // kFeedPlace: the change feed, and the number of a change
  std::int64_t next_offset = 0;
  std::chrono::milliseconds limit{0};
};
[[nodiscard]] std::string wait_path(const Wait& wait);

// The paths' patterns for a router, below one prefix.
inline constexpr std::string_view kPrefix = "/view/v2";

[[nodiscard]] std::string encode_list(const ListPage& page);
[[nodiscard]] std::string encode_history_list(const std::vector<HistoryEntry>& entries);
[[nodiscard]] std::string encode_stats(const ViewStats& stats);
[[nodiscard]] std::string encode_changes(const ChangePage& page);

// kCorrupt/"bad-answer" if the bytes are not such an answer.
[[nodiscard]] Result<ListPage> decode_list(std::string_view bytes);
[[nodiscard]] Result<std::vector<HistoryEntry>> decode_history_list(const ImageId& id,
                                                                    std::string_view bytes);
[[nodiscard]] Result<ViewStats> decode_stats(std::string_view bytes);
[[nodiscard]] Result<ChangePage> decode_changes(std::string_view bytes);

}  // namespace thumb::view_wire
