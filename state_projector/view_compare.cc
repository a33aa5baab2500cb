// Each side is gone through once, and asked for what the other has: neither fits in memory.
#include "state_projector/view_compare.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "state_projector/row_change.h"
#include "state_projector/view_json.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

constexpr std::string_view kHistories = "h";
constexpr std::string_view kNothing = "null";

// Hints go after days, and compaction takes personal fields: a later replay may lack them.
bool kept_for_ever(Topic topic) {
  return topic != Topic::kThumbnailStarted && topic != Topic::kImagePrivate;
}

std::string place_text(const view_keys::LogPlace& place) {
  return fmt::format("{}/{} offset {}", role_of(place.partition.topic).name,
                     place.partition.partition, place.offset);
}

class Comparison {
 public:
  Comparison(const KeyValueReader& view, const KeyValueReader& replay, std::size_t limit)
      : view_(view), replay_(replay), limit_(limit) {}

  Result<std::vector<ViewDifference>> run() {
    for (const auto& step : {&Comparison::rows, &Comparison::histories, &Comparison::unreadables,
                             &Comparison::bookkeeping}) {
      if (full()) break;
      if (auto done = (this->*step)(); !done) return Failure(std::move(done.error()));
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool full() const { return found_.size() >= limit_; }
  void note(std::string_view what, std::string where, std::string view, std::string replay) {
    if (!full())
      found_.push_back({std::string(what), std::move(where), std::move(view), std::move(replay)});
  }
  static std::string shown(const ImageId& id, const std::optional<std::string>& stored) {
    if (!stored) return std::string(kNothing);
    const auto row = decode_row(id, *stored);
    return row ? row_json(*row) : nlohmann::json(row.error().message).dump();
  }

  // What the digest is taken over, since that is what must not differ: all of `view`, then what
  // only `replay` has.
  Result<void> rows() {
    auto compared = each_row(
        view_, replay_, [this](const ImageId& id, const Stored& mine, const Stored& theirs) {
          unreadable_rows_ |= mine.damaged;
          if (mine.damaged || mine.canonical != theirs.canonical)
            note("row", id.str(), shown(id, mine.bytes), shown(id, theirs.bytes));
        });
    if (!compared || full()) return compared;
    return each_row(replay_, view_,
                    [this](const ImageId& id, const Stored& theirs, const Stored& mine) {
                      if (!mine.bytes && !theirs.canonical.empty())
                        note("row", id.str(), std::string(kNothing), shown(id, theirs.bytes));
                    });
  }

  struct Stored {
    std::optional<std::string> bytes;
    std::string canonical;
    bool damaged = false;
  };
  static Stored stored(const ImageId& id, std::optional<std::string> bytes) {
    Stored row{std::move(bytes), {}};
    row.damaged = row.bytes && !append_canonical_row(id, *row.bytes, row.canonical);
    return row;
  }

  using WithRow = std::function<void(const ImageId&, const Stored&, const Stored& other)>;
  Result<void> each_row(const KeyValueReader& from, const KeyValueReader& other,
                        const WithRow& visit) const {
    return for_each_stored_row(
        from, [&](const ImageId& id, std::string_view bytes) -> Result<bool> {
          auto found = other.get(view_keys::row(id));
          if (!found) return Failure(std::move(found.error()));
          visit(id, stored(id, std::string(bytes)), stored(id, std::move(*found)));
          return !full();
        });
  }

  Result<void> histories() {
    const auto shown_entry = [](std::string_view key, const std::optional<std::string>& value) {
      const auto id = key.substr(kHistories.size());
      const auto place = view_keys::parse_history(key);
      if (!value || !place) return std::string(kNothing);
      ImageId image;
      std::copy_n(reinterpret_cast<const std::uint8_t*>(id.data()), image.bytes.size(),
                  image.bytes.begin());
      const auto entry = decode_history(image, place->partition.topic,
                                        {place->partition.partition, place->offset}, *value);
      return entry ? history_json(*entry) : nlohmann::json(entry.error().message).dump();
    };
    return each_entry(
        kHistories, &view_keys::parse_history,
        [&](std::string_view key, const view_keys::LogPlace& place,
            const std::optional<std::string>& mine, const std::optional<std::string>& theirs) {
          note("history", place_text(place), shown_entry(key, mine), shown_entry(key, theirs));
        });
  }

  Result<void> unreadables() {
    const auto reason = [](const std::optional<std::string>& text) {
      return text ? nlohmann::json(*text).dump(-1, ' ', false,
                                               nlohmann::json::error_handler_t::replace)
                  : std::string(kNothing);
    };
    return each_entry(
        view_keys::kUnreadable, &view_keys::parse_unreadable,
        [&](std::string_view, const view_keys::LogPlace& place,
            const std::optional<std::string>& mine, const std::optional<std::string>& theirs) {
          note("unreadable", place_text(place), reason(mine), reason(theirs));
        });
  }

  // Calls `differs` for the entries of `prefix` whose value is another in the other view, or
  // absent.
  using ParsePlace = std::optional<view_keys::LogPlace> (*)(std::string_view);
  using Differs = std::function<void(std::string_view, const view_keys::LogPlace&,
                                     const std::optional<std::string>& mine,
                                     const std::optional<std::string>& theirs)>;
  Result<void> each_entry(std::string_view prefix, ParsePlace parse, const Differs& differs) {
    for (const bool mine_first : {true, false}) {
      const auto& from = mine_first ? view_ : replay_;
      const auto& other = mine_first ? replay_ : view_;
      Result<void> outcome;
      auto scanned = from.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
        const auto place = parse(key);
        if (!place || !kept_for_ever(place->partition.topic)) return true;
        const auto there = other.get(key);
        if (!there) {
          outcome = Failure(there.error());
          return false;
        }
        const std::optional<std::string> here(value);
        if (mine_first && *there != here) differs(key, *place, here, *there);
        if (!mine_first && !*there) differs(key, *place, std::nullopt, here);
        return !full();
      });
      if (!scanned || !outcome || full()) return scanned ? outcome : scanned;
    }
    return {};
  }

  // Recounts what is kept as a function of the rows, if each can be read.
  Result<void> bookkeeping() {
    if (unreadable_rows_) return {};
    StateCounts counted;
    std::size_t wanted_entries = 0;
    Result<void> outcome;
    auto visited = for_each_row(view_, [&](const ImageRow& row) {
      if (row.visible()) ++counted[row.state()];
      for (const auto& key : index_keys(row)) {
        ++wanted_entries;
        const auto entry = view_.get(key);
        if (!entry) {
          outcome = Failure(entry.error());
          return false;
        }
        if (!*entry) note("index", row.id.str(), std::string(kNothing), row_json(row));
      }
      return !full();
    });
    if (!visited || !outcome || full()) return visited ? outcome : visited;
    if (auto none_more = index_size(wanted_entries); !none_more || full()) return none_more;
    return counters(counted);
  }

  Result<void> index_size(std::size_t wanted) {
    std::size_t entries = 0;
    for (const std::string_view prefix : {"a", "s"}) {
      auto scanned = view_.scan(prefix, prefix, [&](std::string_view, std::string_view) {
        ++entries;
        return true;
      });
      if (!scanned) return scanned;
    }
    if (entries > wanted)
      note("index", "entries in all", std::to_string(entries), std::to_string(wanted));
    return {};
  }

  Result<void> counters(const StateCounts& counted) {
    const auto kept = read_counts(view_);
    if (!kept) return Failure(kept.error());
    for (const auto state : kAllImageStates) {
      const auto of = [state](const StateCounts& counts) {
        const auto found = counts.find(state);
        return found == counts.end() ? 0 : found->second;
      };
      if (of(*kept) != of(counted))
        note("counter", std::string(to_string(state)), std::to_string(of(*kept)),
             std::to_string(of(counted)));
    }
    return {};
  }

  const KeyValueReader& view_;
  const KeyValueReader& replay_;
  const std::size_t limit_;
  std::vector<ViewDifference> found_;
  bool unreadable_rows_ = false;
};

}  // namespace

Result<std::vector<ViewDifference>> compare_views(const KeyValueReader& view,
                                                  const KeyValueReader& replay, std::size_t limit) {
  return Comparison(view, replay, limit).run();
}

std::string difference_json(const ViewDifference& difference) {
  return fmt::format(R"({{"what":"{}","where":"{}","view":{},"replay":{}}})", difference.what,
                     difference.where, difference.view, difference.replay);
}

}  // namespace thumb
