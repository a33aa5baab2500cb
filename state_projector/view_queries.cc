// Reads the key layout back. What does not parse is damage, told as such and never guessed at.
#include "state_projector/view_queries.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/text.h"
#include "state_projector/change_feed.h"
#include "state_projector/view_keys.h"

namespace thumb {
namespace {

Failure corrupt(std::string_view detail) {
  return fail(ErrorKind::kCorrupt, "view-corrupt", "the view is damaged", detail);
}

Result<std::int64_t> read_number(const KeyValueReader& view, const std::string& key) {
  auto bytes = view.get(key);
  if (!bytes) return Failure(std::move(bytes.error()));
  if (!*bytes) return 0;
  const auto number = view_keys::decode_number(**bytes);
  if (!number) return corrupt("a counter is not a number");
  return *number;
}

Result<std::string> read_meta_text(const KeyValueReader& view, std::string_view name) {
  auto value = view.get(view_keys::meta(name));
  if (!value) return Failure(std::move(value.error()));
  if (!*value) return corrupt("no " + std::string(name) + " is stored");
  return std::move(**value);
}

Result<std::string> start_of(const ListQuery& query, const std::string& prefix) {
  if (query.cursor.empty()) return prefix;
  const auto place = from_hex(query.cursor);
  if (!place || place->size() != view_keys::kIndexPlaceBytes ||
      to_hex(as_bytes(*place)) != query.cursor) {
    return fail(ErrorKind::kInvalid, "bad-cursor", "cursor is not one that a list gave");
  }
  return prefix + *place + '\0';  // the next key after it
}

bool belongs(const ImageRow& row, std::string_view place, std::optional<ImageState> state) {
  return row.visible() && view_keys::index_place(row) == place &&
         (state ? row.state() == *state : !row.deleted);
}

}  // namespace

std::vector<KeyChange> encode_meta(const ViewMeta& meta) {
  return {{view_keys::meta("row_version"), std::to_string(meta.row_version)},
          {view_keys::meta("cluster_id"), meta.cluster_id},
          {view_keys::meta("view_id"), meta.view_id},
          {view_keys::meta("partitions"), std::to_string(meta.partitions)}};
}

Result<ViewMeta> read_meta(const KeyValueReader& view) {
  constexpr std::array<std::string_view, 4> kNames = {"row_version", "cluster_id", "view_id",
                                                      "partitions"};
  std::array<std::string, 4> texts;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    auto text = read_meta_text(view, kNames[i]);
    if (!text) return Failure(std::move(text.error()));
    texts[i] = std::move(*text);
  }
  const auto version = parse_u64(texts[0]);
  const auto partitions = parse_u64(texts[3]);
  if (!version || *version > 255 || !partitions || *partitions > 1'000'000) {
    return corrupt("its description is not readable");
  }
  return ViewMeta{static_cast<std::uint8_t>(*version), texts[1], texts[2],
                  static_cast<std::int32_t>(*partitions)};
}

Result<std::optional<ImageRow>> read_row(const KeyValueReader& view, const ImageId& id) {
  auto bytes = view.get(view_keys::row(id));
  if (!bytes) return Failure(std::move(bytes.error()));
  if (!*bytes) return std::nullopt;
  return decode_row(id, **bytes).map([](ImageRow row) { return std::optional(std::move(row)); });
}

Result<ListPage> list_rows(const KeyValueReader& view, const ListQuery& query) {
  const auto prefix = view_keys::index_prefix(query.state);
  auto start = start_of(query, prefix);
  if (!start) return Failure(std::move(start.error()));
  const auto limit = std::clamp<std::size_t>(query.limit, 1, kMaxListLimit);

  ListPage page;
  std::string last_place;
  std::optional<Error> problem;
  const auto scanned = view.scan(prefix, *start, [&](std::string_view key, std::string_view) {
    if (page.rows.size() == limit) {  // there is one more
      page.next_cursor = to_hex(as_bytes(last_place));
      return false;
    }
    const auto place = key.substr(prefix.size());
    const auto id = view_keys::parse_index_place(place);
    if (!id) {
      problem = corrupt("an index key has a wrong length").value();
      return false;
    }
    auto row = read_row(view, *id);
    if (!row) {
      problem = std::move(row.error());
      return false;
    }
    // The scan sees one moment, the row may be of a later one: then its entry has moved on.
    if (*row && belongs(**row, place, query.state)) page.rows.push_back(std::move(**row));
    last_place = place;
    return true;
  });
  if (!scanned) return Failure(scanned.error());
  if (problem) return Failure(std::move(*problem));
  return page;
}

Result<Positions> read_positions(const KeyValueReader& view) {
  Positions positions;
  bool readable = true;
  const auto scanned = view.scan(view_keys::kPositions, view_keys::kPositions,
                                 [&](std::string_view key, std::string_view value) {
                                   const auto partition = view_keys::parse_position(key);
                                   const auto offset = view_keys::decode_number(value);
                                   readable = partition && offset;
                                   if (readable) positions[*partition] = *offset;
                                   return readable;
                                 });
  if (!scanned) return Failure(scanned.error());
  if (!readable) return corrupt("a position is not readable");
  return positions;
}

Result<StateCounts> read_counts(const KeyValueReader& view) {
  StateCounts counts;
  for (const auto state : kAllImageStates) {
    const auto count = read_number(view, view_keys::counter(state));
    if (!count) return Failure(count.error());
    if (*count != 0) counts[state] = *count;
  }
  return counts;
}

Result<std::int64_t> read_unreadable_count(const KeyValueReader& view) {
  return read_number(view, view_keys::unreadable_counter());
}

Result<std::vector<HistoryEntry>> read_history(const KeyValueReader& view, const ImageId& id) {
  std::vector<HistoryEntry> entries;
  Result<void> readable;
  const auto prefix = view_keys::history_prefix(id);
  const auto scanned = view.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
    const auto place = view_keys::parse_history(key);
    if (!place) {
      readable = corrupt("the key of a history entry is not readable");
      return false;
    }
    auto entry = decode_history(id, place->partition.topic,
                                {place->partition.partition, place->offset}, value);
    if (entry) {
      entries.push_back(std::move(*entry));
    } else {
      readable = Failure(entry.error());
    }
    return readable.has_value();
  });
  if (!scanned) return Failure(scanned.error());
  if (!readable) return Failure(readable.error());
  std::ranges::sort(entries, happened_before);
  return entries;
}

Result<std::uint64_t> read_last_change(const KeyValueReader& view) {
  return read_number(view, view_keys::last_change()).map([](std::int64_t number) {
    return static_cast<std::uint64_t>(number);
  });
}

Result<ChangePage> read_changes(const KeyValueReader& view, std::uint64_t after,
                                std::uint64_t newest, std::size_t limit) {
  ChangePage page;
  page.newest = newest;
  Result<void> readable;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const auto sequence = view_keys::parse_change(key);
    auto change =
        sequence ? decode_change(*sequence, value) : corrupt("the key of a change is not readable");
    if (!change) {
      readable = Failure(change.error());
      return false;
    }
    if (page.oldest == 0) page.oldest = *sequence;
    if (*sequence > newest || limit == 0) return false;
    page.changes.push_back(*change);
    return page.changes.size() < limit;
  };
  // The first entry there is, then those asked for.
  const auto first = view.scan(view_keys::kChanges, view_keys::kChanges,
                               [&](std::string_view key, std::string_view) {
                                 page.oldest = view_keys::parse_change(key).value_or(0);
                                 return false;
                               });
  if (!first) return Failure(first.error());
  const auto scanned = view.scan(view_keys::kChanges, view_keys::change(after + 1), visit);
  if (!scanned) return Failure(scanned.error());
  if (!readable) return Failure(readable.error());
  return page;
}

Result<std::vector<UnreadableRecord>> read_unreadable(const KeyValueReader& view,
                                                      std::size_t limit) {
  std::vector<UnreadableRecord> records;
  bool readable = true;
  const auto scanned =
      view.scan(view_keys::kUnreadable, view_keys::kUnreadable,
                [&](std::string_view key, std::string_view reason) {
                  const auto place = view_keys::parse_unreadable(key);
                  readable = place.has_value();
                  if (!readable || records.size() == limit) return false;
                  records.push_back({place->partition, place->offset, std::string(reason)});
                  return true;
                });
  if (!scanned) return Failure(scanned.error());
  if (!readable) return corrupt("the place of an unreadable record is not readable");
  return records;
}

Result<void> for_each_stored_row(
    const KeyValueReader& view,
    const std::function<Result<bool>(const ImageId&, std::string_view stored)>& visit) {
  Result<void> readable;
  const auto scanned = view.scan(view_keys::kRows, view_keys::kRows,
                                 [&](std::string_view key, std::string_view stored) {
                                   const auto id = view_keys::parse_row(key);
                                   if (!id) {
                                     readable = corrupt("a row's key has a wrong length");
                                     return false;
                                   }
                                   auto go_on = visit(*id, stored);
                                   if (!go_on) readable = Failure(std::move(go_on.error()));
                                   return go_on.value_or(false);
                                 });
  return scanned ? readable : scanned;
}

Result<void> for_each_row(const KeyValueReader& view,
                          const std::function<bool(ImageRow&&)>& visit) {
  return for_each_stored_row(
      view, [&visit](const ImageId& id, std::string_view stored) -> Result<bool> {
        return decode_row(id, stored).map([&visit](ImageRow row) { return visit(std::move(row)); });
      });
}

}  // namespace thumb
