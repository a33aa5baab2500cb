// A batch is grouped by image first: one read, one decoding and one encoding a row, however many of
// its events the batch holds. Changes are written in key order, which the database takes in faster.
#include "state_projector/view_writer.h"

#include <algorithm>
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
struct ViewWriter::Batch {
  std::map<ImageId, std::vector<HistoryEntry>> events;
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
  for (const auto& record : records) take(record, batch);
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
  auto entry = read_entry(*topic, record);
  if (!entry) {
    batch.changes.push_back(
        {view_keys::unreadable(partition, record.position.offset), reason_unread(entry.error())});
    ++batch.result.unreadable;
    return;
  }
  ++batch.result.folded[*topic];
  batch.events[entry->part.id].push_back(std::move(*entry));
}

Result<void> ViewWriter::fold_rows(Batch& batch) const {
  std::vector<std::string> keys;
  keys.reserve(batch.events.size());
  for (const auto& [id, events] : batch.events) keys.push_back(view_keys::row(id));
  auto stored = store_.multi_get(keys);
  if (!stored) return Failure(std::move(stored.error()));

  auto bytes = stored->begin();
  for (const auto& [id, events] : batch.events) {
    std::optional<ImageRow> before;
    if (bytes->has_value()) {
      auto row = decode_row(id, **bytes);
      if (!row) return Failure(std::move(row.error()));
      before = std::move(*row);
    }
    ++bytes;
    ImageRow after = before.value_or(empty_row(id));
    for (const auto& event : events) join(after, event.part);
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
