// What the writer keeps beside rows: history and change feed, as functions of the log.
#include "state_projector/view_writer.h"

#include <gtest/gtest.h>

#include <map>

#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"
#include "tests/support/memory_store.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"
#include "tests/support/record_views.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

constexpr int kImages = 3;
constexpr std::uint64_t kAllChanges = 1'000'000;

// A log as its topics hand it out: each partition in order, the partitions mixed at random.
std::vector<InRecord> any_arrival(const std::vector<PlacedEvent>& log) {
  std::map<std::string, std::vector<InRecord>> topics;
  const TopicNames names;
  for (const auto& event : log) {
    auto record = to_record(event, names);
    topics[record.topic].push_back(std::move(record));
  }
  std::vector<InRecord> arrival;
  while (!topics.empty()) {
    auto from = topics.begin();
    std::advance(from, *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(topics)));
    arrival.push_back(from->second.front());
    from->second.erase(from->second.begin());
    if (from->second.empty()) topics.erase(from);
  }
  return arrival;
}

// Folds in batches of random size, some of them twice, by a writer that is opened anew at times.
void fold_into(MemoryStore& store, const std::vector<InRecord>& records, std::uint64_t feed_limit) {
  const TopicNames names;
  for (std::size_t begin = 0; begin < records.size();) {
    auto writer = ViewWriter::open(store, names, {feed_limit}).value();
    for (int batches = *rc::gen::inRange(1, 5); batches > 0 && begin < records.size(); --batches) {
      const auto size = std::min(*rc::gen::inRange<std::size_t>(1, 8), records.size() - begin);
      const auto batch = testing::views_of(std::span(records).subspan(begin, size));
      const int times = *rc::gen::inRange(1, 3);
      for (int i = 0; i < times; ++i) RC_ASSERT(writer->apply(batch, {}).has_value());
      begin += size;
    }
  }
}

std::vector<PlacedEvent> of_image(const std::vector<PlacedEvent>& log, const ImageId& id) {
  std::vector<PlacedEvent> events;
  for (const auto& event : log) {
    if (image_id_of(event.event) == id) events.push_back(event);
  }
  return events;
}

bool erased(const PlacedEvent& placed, const std::vector<PlacedEvent>& log) {
  return topic_of(placed.event) == Topic::kImagePrivate &&
         std::ranges::any_of(log, [&](const PlacedEvent& other) {
           return std::holds_alternative<ImagePrivateErased>(other.event) &&
                  other.place.position.offset > placed.place.position.offset;
         });
}

TEST(ViewHistory, HoldsEachRecordOfAnImageOnceAndNothingOfADeletedOne) {
  check_property([] {
    const auto log = *any_log(kImages, 1);
    MemoryStore store;
    fold_into(store, any_arrival(log), 0);
    for (int i = 0; i < kImages; ++i) {
      const auto id = image_id(i);
      auto expected = of_image(log, id);
      std::erase_if(expected, [whole = expected](const auto& e) { return erased(e, whole); });
      if (folded(id, log).deleted) expected.clear();
      const auto history = read_history(store, id).value();
      RC_ASSERT(history.size() == expected.size());
      RC_ASSERT(std::ranges::is_sorted(history, happened_before));
      for (const auto& event : expected) {
        const auto same = [&](const HistoryEntry& entry) {
          return entry.topic == topic_of(event.event) && entry.at == event.place.at &&
                 entry.position == event.place.position && entry.actor == actor_of(event.event) &&
                 entry.event == event_name(event.event) &&
                 entry.part == part_of(event.event, event.place);
        };
        RC_ASSERT(std::ranges::count_if(history, same) == 1);
      }
    }
  });
}

TEST(ViewHistory, TellsTheRowAsOfAnyTimeAsAFoldOfTheLogUpToThenDoes) {
  check_property([] {
    auto log = *any_log(kImages, 1);
    std::erase_if(log, [](const PlacedEvent& e) {
      return std::holds_alternative<ImageDeleted>(e.event) ||
             std::holds_alternative<ImagePrivateErased>(e.event);
    });
    MemoryStore store;
    fold_into(store, any_arrival(log), 0);
    const auto id = image_id(*rc::gen::inRange(0, kImages));
    const auto at = time_from_ms(1'700'000'000'000 + *rc::gen::inRange<std::int64_t>(-1, 51));
    std::vector<PlacedEvent> until;
    std::ranges::copy_if(log, std::back_inserter(until),
                         [&](const PlacedEvent& e) { return e.place.at <= at; });
    RC_ASSERT(row_as_of(id, read_history(store, id).value(), at) == folded(id, until));
  });
}

TEST(ViewHistory, SurvivesItsStoredFormAndRefusesCuts) {
  check_property([] {
    auto event = *any_event(1);
    const auto place = at(7, 123);
    const HistoryEntry entry{topic_of(event),
                             place.position,
                             place.at,
                             std::string(event_name(event)),
                             actor_of(event),
                             *rc::gen::element<std::optional<std::string>>(std::nullopt, "00-ab"),
                             part_of(event, place)};
    const auto bytes = encode_history(entry);
    RC_ASSERT(decode_history(image_id(0), entry.topic, entry.position, bytes) == entry);
    const auto cut = bytes.substr(0, *rc::gen::inRange<std::size_t>(0, bytes.size()));
    RC_ASSERT(!decode_history(image_id(0), entry.topic, entry.position, cut));
  });
}

TEST(ChangeFeed, LeadsEveryWatcherToTheStateOfTheRows) {
  check_property([] {
    const auto log = *any_log(kImages, 1);
    MemoryStore store;
    fold_into(store, any_arrival(log), kAllChanges);
    const auto newest = read_last_change(store).value();
    std::map<ImageId, ViewChange> last;
    std::uint64_t after = 0;
    while (after < newest) {  // page by page
      const auto limit = *rc::gen::inRange<std::size_t>(1, 5);
      const auto page = read_changes(store, after, newest, limit).value();
      RC_ASSERT(page.oldest == 1U);
      RC_ASSERT(!page.changes.empty() && page.changes.size() <= limit);
      for (const auto& change : page.changes) {
        RC_ASSERT(change.sequence == ++after);
        const auto before = last.find(change.id);
        RC_ASSERT(before == last.end() || before->second.state != change.state ||
                  before->second.generation != change.generation);
        last[change.id] = change;
      }
    }
    for (int i = 0; i < kImages; ++i) {
      const auto row = folded(image_id(i), log);
      RC_ASSERT(last.contains(row.id) == row.visible());
      if (!row.visible()) continue;
      RC_ASSERT(last.at(row.id).state == row.state());
      RC_ASSERT(last.at(row.id).generation == row.generation());
    }
  });
}

TEST(ChangeFeed, KeepsNoMoreThanItsLimitAndSaysWhereItBegins) {
  MemoryStore store;
  const TopicNames names;
  auto writer = ViewWriter::open(store, names, {3}).value();
  for (int i = 0; i < 8; ++i) {
    const std::vector records{to_record({uploaded(image_id(i)), at(i, 100 + i)}, names)};
    ASSERT_TRUE(writer->apply(testing::views_of(records), {}).has_value());
  }
  const auto page = read_changes(store, 2, read_last_change(store).value(), 10).value();
  EXPECT_EQ(page.oldest, 6U);
  EXPECT_EQ(page.newest, 8U);
  ASSERT_EQ(page.changes.size(), 3U);
  EXPECT_EQ(page.changes.front().sequence, 6U);
  EXPECT_EQ(page.changes.back().id, image_id(7));
  EXPECT_EQ(read_changes(store, 8, 8, 10).value().changes.size(), 0U);
}

TEST(ChangeFeed, IsNotWrittenWhereNobodyWatches) {
  MemoryStore store;
  const TopicNames names;
  const std::vector records{to_record({uploaded(image_id(0)), at(0, 100)}, names)};
  ASSERT_TRUE(
      ViewWriter::open(store, names).value()->apply(testing::views_of(records), {}).has_value());
  EXPECT_EQ(read_last_change(store).value(), 0U);
}

}  // namespace
}  // namespace thumb::testing
