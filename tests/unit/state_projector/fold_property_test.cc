// Guarantee 3: a row, its bytes, index entries and counters are functions of the set of events.
#include <gtest/gtest.h>

#include "state_projector/row_change.h"
#include "tests/support/memory_store.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

constexpr int kImages = 3;

// Everything that folding leaves behind but the positions.
struct Stored {
  MemoryStore store;
  StateCounts counts;
};

// Folds in batches of random size, each image's events of a batch onto its row in one go.
Stored stored_in_batches(const std::vector<PlacedEvent>& events) {
  Stored stored;
  std::map<ImageId, ImageRow> rows;
  for (std::size_t begin = 0; begin < events.size();) {
    const auto size = *rc::gen::inRange<std::size_t>(1, 12);
    const auto end = std::min(events.size(), begin + size);
    auto after = rows;
    for (; begin < end; ++begin) {
      const auto id = image_id_of(events[begin].event);
      after.try_emplace(id, empty_row(id));
      fold(after.at(id), events[begin].event, events[begin].place);
    }
    std::vector<KeyChange> changes;
    for (const auto& [id, row] : after) {
      const auto before = rows.find(id);
      append_row_change(before == rows.end() ? std::nullopt : std::optional(before->second), row,
                        changes, stored.counts);
    }
    RC_ASSERT(stored.store.write(changes).has_value());
    rows = std::move(after);
  }
  std::erase_if(stored.counts, [](const auto& count) { return count.second == 0; });
  return stored;
}

TEST(FoldProperty, AnyOrderBatchingAndRepetitionGivesTheSameView) {
  check_property([] {
    const auto log = *any_log(kImages, *rc::gen::element<std::int32_t>(1, 1, 2));
    const auto one = stored_in_batches(log);
    const auto other = stored_in_batches(*any_retelling(log));
    RC_ASSERT(one.store.entries == other.store.entries);
    RC_ASSERT(one.counts == other.counts);
  });
}

TEST(FoldProperty, CountersAreWhatARecountGives) {
  check_property([] {
    const auto log = *any_log(kImages, 1);
    const auto stored = stored_in_batches(*any_retelling(log));
    StateCounts recount;
    for (int i = 0; i < kImages; ++i) {
      const auto row = folded(image_id(i), log);
      if (row.visible()) ++recount[row.state()];
    }
    RC_ASSERT(stored.counts == recount);
  });
}

TEST(FoldProperty, BatchesFoldedApartJoinToTheWhole) {
  check_property([] {
    const auto log = *any_retelling(*any_log(1, 2));
    const auto cut = *rc::gen::inRange<std::size_t>(0, log.size() + 1);
    const auto middle = log.begin() + static_cast<std::ptrdiff_t>(cut);
    const std::vector<PlacedEvent> head(log.begin(), middle);
    const std::vector<PlacedEvent> tail(middle, log.end());
    auto tail_first = tail;
    tail_first.insert(tail_first.end(), head.begin(), head.end());
    RC_ASSERT(encode_row(folded(image_id(0), log)) == encode_row(folded(image_id(0), tail_first)));
  });
}

TEST(FoldProperty, ARowSurvivesItsStoredForm) {
  check_property([] {
    const auto row = folded(image_id(0), *any_log(1, 2));
    const auto decoded = decode_row(row.id, encode_row(row));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == row);
  });
}

std::string canonical(const ImageRow& row) {
  std::string bytes;
  RC_ASSERT(append_canonical_row(row.id, encode_row(row), bytes).has_value());
  return bytes;
}

TEST(FoldProperty, TheDigestsViewIsTheRowWithoutHintsAndTombstones) {
  check_property([] {
    auto row = folded(image_id(0), *any_log(1, 3));
    const auto cut = canonical(row);
    if (row.personal && row.personal->filename.empty()) row.personal.reset();
    std::erase_if(row.requests, [](RequestRow& request) {
      request.started_at.reset();
      return !request.asked && !request.completed && !request.failed;
    });
    const bool empty = !row.upload && !row.personal && !row.deleted && row.requests.empty();
    RC_ASSERT(cut == (empty ? std::string() : encode_row(row)));
  });
}

TEST(FoldProperty, TheDigestsViewLeavesOutWhatTheLogMayForget) {
  check_property([] {
    auto log = *any_log(1, 1);
    const auto whole = canonical(folded(image_id(0), log));
    std::erase_if(log, [&](const PlacedEvent& placed) {
      if (std::holds_alternative<ThumbnailStarted>(placed.event)) return true;  // retention
      if (topic_of(placed.event) != Topic::kImagePrivate) return false;
      const bool superseded = std::ranges::any_of(log, [&](const PlacedEvent& other) {
        return topic_of(other.event) == Topic::kImagePrivate &&
               other.place.position.offset > placed.place.position.offset;
      });
      return superseded || std::holds_alternative<ImagePrivateErased>(placed.event);  // compaction
    });
    RC_ASSERT(canonical(folded(image_id(0), log)) == whole);
  });
}

}  // namespace
}  // namespace thumb::testing
