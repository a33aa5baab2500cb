#include "state_projector/view_wire.h"

#include "schemas/byte_codec.h"
#include "state_projector/change_feed.h"

namespace thumb::view_wire {
namespace {

Failure bad_answer() {
  return fail(ErrorKind::kCorrupt, "bad-answer", "the view's answer is not readable");
}

std::string path(std::string_view rest) { return std::string(kPrefix) + std::string(rest); }

template <typename T>
Result<T> finished(const ByteReader& in, T value) {
  if (!in.ok() || !in.at_end()) return bad_answer();
  return value;
}

}  // namespace

std::string row_path(const ImageId& id) { return path("/rows/" + id.str()); }

std::string list_path(const ListQuery& query) {
  std::string text = path("/rows?limit=" + std::to_string(query.limit));
  if (query.state) text += "&state=" + std::string(to_string(*query.state));
  // A cursor comes from a client: what is no hex is refused here as the view would.
  if (!query.cursor.empty()) text += "&cursor=" + query.cursor;
  return text;
}

std::string history_path(const ImageId& id) { return path("/rows/" + id.str() + "/history"); }

std::string stats_path() { return path("/stats"); }

std::string changes_path(std::uint64_t after, std::size_t limit) {
  return path("/changes?after=" + std::to_string(after) + "&limit=" + std::to_string(limit));
}

std::string wait_path(const Wait& wait) {
  return path("/wait?topic=" + std::to_string(static_cast<int>(wait.partition.topic)) +
              "&partition=" + std::to_string(wait.partition.partition) + "&offset=" +
              std::to_string(wait.next_offset) + "&limit_ms=" + std::to_string(wait.limit.count()));
}

std::string encode_list(const ListPage& page) {
  ByteWriter out;
  out.number(page.rows.size());
  for (const auto& row : page.rows) {
    out.uuid(row.id.bytes);
    out.text(encode_row(row));
  }
  out.text(page.next_cursor);
  return out.take();
}

Result<ListPage> decode_list(std::string_view bytes) {
  ByteReader in(bytes);
  ListPage page;
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    const ImageId id{in.uuid()};
    auto row = decode_row(id, in.text());
    if (!row) return Failure(row.error());
    page.rows.push_back(std::move(*row));
  }
  page.next_cursor = in.text();
  return finished(in, std::move(page));
}

std::string encode_history_list(const std::vector<HistoryEntry>& entries) {
  ByteWriter out;
  out.number(entries.size());
  for (const auto& entry : entries) {
    out.byte(static_cast<std::uint8_t>(entry.topic));
    out.integer(entry.position.partition);
    out.integer(entry.position.offset);
    out.text(encode_history(entry));
  }
  return out.take();
}

Result<std::vector<HistoryEntry>> decode_history_list(const ImageId& id, std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<HistoryEntry> entries;
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    const auto topic = static_cast<Topic>(in.byte());
    LogPosition position;
    position.partition = static_cast<std::int32_t>(in.integer());
    position.offset = in.integer();
    auto entry = decode_history(id, topic, position, in.text());
    if (!entry) return Failure(entry.error());
    entries.push_back(std::move(*entry));
  }
  return finished(in, std::move(entries));
}

std::string encode_stats(const ViewStats& stats) {
  ByteWriter out;
  out.text(stats.view_id);
  out.number(stats.images.size());
  for (const auto& [state, count] : stats.images) {
    out.byte(static_cast<std::uint8_t>(state));
    out.integer(count);
  }
  out.integer(stats.unreadable);
  out.number(stats.newest_change);
  out.number(stats.positions.size());
  for (const auto& [partition, offset] : stats.positions) {
    out.byte(static_cast<std::uint8_t>(partition.topic));
    out.integer(partition.partition);
    out.integer(offset);
  }
  return out.take();
}

Result<ViewStats> decode_stats(std::string_view bytes) {
  ByteReader in(bytes);
  ViewStats stats;
  stats.view_id = in.text();
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    const auto state = static_cast<ImageState>(in.byte());
    stats.images[state] = in.integer();
  }
  stats.unreadable = in.integer();
  stats.newest_change = in.number();
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    ViewPartition partition;
    partition.topic = static_cast<Topic>(in.byte());
    partition.partition = static_cast<std::int32_t>(in.integer());
    stats.positions[partition] = in.integer();
  }
  return finished(in, std::move(stats));
}

std::string encode_changes(const ChangePage& page) {
  ByteWriter out;
  out.text(page.view_id);
  out.number(page.oldest);
  out.number(page.newest);
  out.number(page.changes.size());
  for (const auto& change : page.changes) {
    out.number(change.sequence);
    out.text(encode_change(change));
  }
  return out.take();
}

Result<ChangePage> decode_changes(std::string_view bytes) {
  ByteReader in(bytes);
  ChangePage page;
  page.view_id = in.text();
  page.oldest = in.number();
  page.newest = in.number();
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    const auto sequence = in.number();
    auto change = decode_change(sequence, in.text());
    if (!change) return Failure(change.error());
    page.changes.push_back(*change);
  }
  return finished(in, std::move(page));
}

}  // namespace thumb::view_wire
