// A batch is grouped by image first: one read, one decoding and one encoding a row, however many of
// its events the batch holds. Changes are written in key order, which the database takes in faster.
// Decoding is a third of the work and depends on nothing: a large batch is decoded by two threads.
#include "state_projector/view_writer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "platform/failpoint.h"
#include "schemas/history.h"
#include "schemas/row_join.h"
#include "state_projector/change_feed.h"
#include "state_projector/fold.h"
#include "state_projector/history_change.h"
#include "state_projector/log_entry.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

constexpr std::size_t kWorthTwoThreads = 1'000;  // records

// A record that is to be folded, and what it says.
struct Taken {
  const RecordView* record;
  Topic topic;
  Result<HistoryEntry> entry{};
};

void read_entries(std::span<Taken> taken) {
  for (auto& one : taken) one.entry = read_entry(one.topic, *one.record);
}

// The events of one image.
using Events = std::span<const HistoryEntry* const>;

const ImageId& image_of(Events events) { return events.front()->part.id; }

// REQUIRES: those of one image stand together.
std::vector<Events> by_image(Events events) {
  std::vector<Events> images;
  while (!events.empty()) {
    const auto other = std::ranges::find_if(
        events, [id = image_of(events)](const auto* event) { return event->part.id != id; });
    const auto count = static_cast<std::size_t>(other - events.begin());
    images.push_back(events.first(count));
    events = events.subspan(count);
  }
  return images;
}

}  // namespace

struct ViewWriter::Batch {
  std::vector<Taken> taken;
  std::vector<const HistoryEntry*> events;  // those that can be read; by image, else as they came
  std::vector<KeyChange> changes;
  Positions positions;
  StateCounts counts;
  std::uint64_t last_change = 0;
  FoldedBatch result;
};

Result<std::unique_ptr<ViewWriter>> ViewWriter::open(KeyValueStore& store, const TopicNames& names,
                                                     const ViewWriterOptions& options) {
  auto positions = read_positions(store);
  if (!positions) return Failure(std::move(positions.error()));
  auto counts = read_counts(store);
  if (!counts) return Failure(std::move(counts.error()));
  const auto unreadable = read_unreadable_count(store);
  if (!unreadable) return Failure(unreadable.error());
  const auto last_change = read_last_change(store);
  if (!last_change) return Failure(last_change.error());

  std::unique_ptr<ViewWriter> writer(new ViewWriter(store, names, options));
  writer->positions_ = std::move(*positions);
  writer->counts_ = std::move(*counts);
  writer->unreadable_ = *unreadable;
  writer->last_change_ = *last_change;
  return writer;
}

Result<FoldedBatch> ViewWriter::apply(std::span<const RecordView> records, const Positions& ends) {
  Batch batch;
  batch.positions = positions_;
  batch.counts = counts_;
  batch.last_change = last_change_;
  batch.taken.reserve(records.size());
  for (const auto& record : records) take(record, batch);
  decode(batch);
  for (const auto& [partition, end] : ends) {
    auto& position = batch.positions[partition];
    position = std::max(position, end);
  }
  if (auto folded = fold_rows(batch); !folded) return Failure(std::move(folded.error()));

  std::ranges::move(totals(batch), std::back_inserter(batch.changes));
  if (!batch.changes.empty()) {
    std::ranges::sort(batch.changes, {}, &KeyChange::key);
    failpoint("projector.before-write");
    if (auto written = store_.write(batch.changes); !written) {
      return Failure(std::move(written.error()));
    }
    failpoint("projector.after-write");
  }
  positions_ = std::move(batch.positions);
  counts_ = std::move(batch.counts);
  last_change_ = batch.last_change;
  unreadable_ += static_cast<std::int64_t>(batch.result.unreadable);
  return std::move(batch.result);
}

void ViewWriter::take(const RecordView& record, Batch& batch) const {
  const auto topic = names_.find(record.topic);
  if (!topic) return;  // not ours: nobody asked for it
  const ViewPartition partition{*topic, record.position.partition};
  auto& position = batch.positions[partition];
  if (record.position.offset < position) {
    ++batch.result.skipped;
    return;
  }
  position = record.position.offset + 1;
  batch.taken.push_back({&record, *topic});
}

void ViewWriter::decode(Batch& batch) {
  const std::span all(batch.taken);
  if (all.size() < kWorthTwoThreads) {
    read_entries(all);
  } else {
    const std::jthread other([half = all.subspan(all.size() / 2)] { read_entries(half); });
    read_entries(all.first(all.size() / 2));
  }
  batch.events.reserve(all.size());
  for (const auto& [record, topic, entry] : all) {
    if (entry) {
      ++batch.result.folded[topic];
      batch.events.push_back(&*entry);
    } else {
      const auto& [partition, offset] = record->position;
      batch.changes.push_back(
          {view_keys::unreadable({topic, partition}, offset), reason_unread(entry.error())});
      ++batch.result.unreadable;
    }
  }
  std::ranges::stable_sort(batch.events, {}, [](const auto* entry) { return entry->part.id; });
}

Result<void> ViewWriter::fold_rows(Batch& batch) const {
  const auto images = by_image(batch.events);
  std::vector<std::string> keys;
  keys.reserve(images.size());
  for (const auto& events : images) keys.push_back(view_keys::row(image_of(events)));
  auto stored = store_.multi_get(keys);
  if (!stored) return Failure(std::move(stored.error()));

  auto bytes = stored->begin();
  for (const auto& events : images) {
    const auto& id = image_of(events);
    std::optional<ImageRow> before;
    if (bytes->has_value()) {
      auto row = decode_row(id, **bytes);
      if (!row) return Failure(std::move(row.error()));
      before = std::move(*row);
    }
    ++bytes;
    ImageRow after = before.value_or(empty_row(id));
    for (const auto* event : events) join(after, event->part);
    append_row_change(before, after, batch.changes, batch.counts);
    const bool deleted_before = before && before->deleted;
    auto kept = append_history_change(store_, after, deleted_before, events, batch.changes);
    if (!kept) return kept;
    if (options_.feed_limit > 0) tell_watchers(before, after, batch);
  }
  return {};
}

void ViewWriter::tell_watchers(const std::optional<ImageRow>& before, const ImageRow& after,
                               Batch& batch) const {
  const auto change = change_between(before, after);
  if (!change) return;
  const std::uint64_t sequence = ++batch.last_change;
  batch.changes.push_back({view_keys::change(sequence), encode_change(*change)});
  if (sequence > options_.feed_limit) {
    batch.changes.push_back({view_keys::change(sequence - options_.feed_limit), std::nullopt});
  }
}

std::vector<KeyChange> ViewWriter::totals(const Batch& batch) const {
  std::vector<KeyChange> changes;
  for (const auto& [partition, offset] : batch.positions) {
    if (offset == position_of(positions_, partition)) continue;
    changes.push_back({view_keys::position(partition), view_keys::encode_number(offset)});
  }
  for (const auto& [state, count] : batch.counts) {
    const auto old = counts_.find(state);
    if (old != counts_.end() ? old->second == count : count == 0) continue;
    // None for zero: what is stored is a function of the rows, however they came about.
    if (count == 0) {
      changes.push_back({view_keys::counter(state), std::nullopt});
    } else {
      changes.push_back({view_keys::counter(state), view_keys::encode_number(count)});
    }
  }
  if (batch.last_change != last_change_) {
    changes.push_back({view_keys::last_change(),
                       view_keys::encode_number(static_cast<std::int64_t>(batch.last_change))});
  }
  if (batch.result.unreadable > 0) {
    changes.push_back({view_keys::unreadable_counter(),
                       view_keys::encode_number(
                           unreadable_ + static_cast<std::int64_t>(batch.result.unreadable))});
  }
  return changes;
}

}  // namespace thumb
