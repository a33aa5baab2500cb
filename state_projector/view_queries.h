// Questions to a stored view, whoever holds it open: the serving side, the projector, the commands.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "state_projector/key_value_store.h"
#include "state_projector/positions.h"
#include "state_projector/row_change.h"
#include "state_projector/view_reader.h"

namespace thumb {

// What a view is: written once, when it is made.
struct ViewMeta {
  std::uint8_t row_version = kRowVersion;
  std::string cluster_id;
  std::string view_id;
  std::int32_t partitions = 0;  // of every projected topic
  friend bool operator==(const ViewMeta&, const ViewMeta&) = default;
};

[[nodiscard]] std::vector<KeyChange> encode_meta(const ViewMeta& meta);
// kCorrupt/"view-corrupt" if there is none or it can't be read.
[[nodiscard]] Result<ViewMeta> read_meta(const KeyValueReader& view);

// The row whether visible or not; empty if nothing is stored.
[[nodiscard]] Result<std::optional<ImageRow>> read_row(const KeyValueReader& view,
                                                       const ImageId& id);
// A page as ViewReader::list gives it. "bad-cursor" as there.
[[nodiscard]] Result<ListPage> list_rows(const KeyValueReader& view, const ListQuery& query);

[[nodiscard]] Result<Positions> read_positions(const KeyValueReader& view);
[[nodiscard]] Result<StateCounts> read_counts(
    const KeyValueReader& view);  // states of zero left out
[[nodiscard]] Result<std::int64_t> read_unreadable_count(const KeyValueReader& view);

// What ViewReader::history gives.
[[nodiscard]] Result<std::vector<HistoryEntry>> read_history(const KeyValueReader& view,
                                                             const ImageId& id);
// The number of the newest change; 0 if there was none.
[[nodiscard]] Result<std::uint64_t> read_last_change(const KeyValueReader& view);
// What ViewReader::changes gives, up to number `newest`; the view's id is left out.
[[nodiscard]] Result<ChangePage> read_changes(const KeyValueReader& view, std::uint64_t after,
                                              std::uint64_t newest, std::size_t limit);

// Records that could not be read, with the reason.
struct UnreadableRecord {
  ViewPartition partition;
  std::int64_t offset = 0;
  std::string reason;
  friend bool operator==(const UnreadableRecord&, const UnreadableRecord&) = default;
};
// The first `limit` by topic, partition, offset.
[[nodiscard]] Result<std::vector<UnreadableRecord>> read_unreadable(const KeyValueReader& view,
                                                                    std::size_t limit);

// The bytes of every stored row, by id; false or an error ends it.
[[nodiscard]] Result<void> for_each_stored_row(
    const KeyValueReader& view,
    const std::function<Result<bool>(const ImageId&, std::string_view stored)>& visit);
// Every stored row, visible or not, by id; false ends it.
[[nodiscard]] Result<void> for_each_row(const KeyValueReader& view,
                                        const std::function<bool(ImageRow&&)>& visit);

}  // namespace thumb
