// Two stages, each on all threads: partitions to piles, then ranges of images to runs. Nothing
// rests on an image's events being in one partition, or one pile.
#include "state_projector/bulk_build.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

#include "platform/on_threads.h"
#include "state_projector/bulk_range.h"
#include "state_projector/entry_pile.h"
#include "state_projector/log_entry.h"
#include "state_projector/view_keys.h"

namespace thumb {
namespace {

// The positions that all readers have come to, and who is told of them.
class Progress {
 public:
  explicit Progress(const TellBuilt& tell) : tell_(tell) {}

  void moved(const Positions& positions, std::size_t records) {
    if (!tell_) return;
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, position] : positions) positions_[partition] = position;
    tell_(positions_, records);
  }

 private:
  const TellBuilt& tell_;
  std::mutex mutex_;
  Positions positions_;
};

Result<void> pile_up(const RecordView& record, const TopicNames& names, EntryPile& pile) {
  const auto topic = names.find(record.topic);
  const ViewPartition partition{*topic, record.position.partition};
  const auto entry = read_entry(*topic, record);
  if (!entry) {
    return pile.add(view_keys::unreadable(partition, record.position.offset),
                    reason_unread(entry.error()));
  }
  return pile.add(view_keys::history(entry->part.id, partition, record.position.offset),
                  encode_history(*entry));
}

// The share of thread number `thread`.
template <typename Map>
Map share(const Map& whole, std::size_t thread, std::size_t threads) {
  Map part;
  for (const auto& [partition, value] : whole) {
    if (static_cast<std::size_t>(partition.partition) % threads == thread) part[partition] = value;
  }
  return part;
}

Result<void> read_share(const Positions& target, const BulkSource& source,
                        const ReplayOptions& options, const std::stop_token& stop,
                        Progress& progress, EntryPile& pile) {
  ClusterState cluster = source.cluster;
  std::erase_if(cluster.watermarks,
                [&](const auto& marks) { return !target.contains(marks.first); });
  if (target.empty()) return {};
  auto reader = source.open_reader();
  if (!reader) return Failure(std::move(reader.error()));
  auto done = read_until(target, cluster, source.names, **reader, options, stop,
                         [&](std::span<const RecordView> records, const Positions& positions) {
                           for (const auto& record : records) {
                             auto piled = pile_up(record, source.names, pile);
                             if (!piled) return piled;
                           }
                           progress.moved(positions, records.size());
                           return Result<void>();
                         });
  if (done) pile.seal();
  return done;
}

// Between these keys, and before the first and after the last, lie ranges of about one size, with
// each image whole in one of them.
std::vector<std::string> cut_at_images(const std::deque<EntryPile>& piles, std::size_t parts) {
  std::vector<std::string> cuts;
  for (const auto& pile : piles) {
    if (!cuts.empty()) break;  // any pile has images of all times
    cuts = pile.cuts(parts);
  }
  const auto image_bytes = view_keys::history_prefix(ImageId{}).size();
  for (auto& cut : cuts) cut.resize(std::min(cut.size(), image_bytes));
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

Result<std::vector<BulkRange>> fold_ranges(const std::deque<EntryPile>& piles, KeyValueStore& store,
                                           std::size_t threads, const std::stop_token& stop) {
  auto bounds = cut_at_images(piles, threads);
  bounds.insert(bounds.begin(), std::string());
  bounds.emplace_back();  // an empty end is none
  std::vector<BulkRange> ranges(bounds.size() - 1);
  auto folded = on_threads(
      ranges.size(), stop, [&](std::size_t number, const std::stop_token& told) -> Result<void> {
        std::vector<std::unique_ptr<EntryCursor>> cursors;
        for (const auto& pile : piles) {
          if (auto added = pile.append_cursors(bounds[number], cursors); !added) return added;
        }
        MergedEntries entries(std::move(cursors));
        return fold_range(entries, bounds[number + 1], store, told).map([&](BulkRange range) {
          ranges[number] = std::move(range);
        });
      });
  if (!folded) return Failure(std::move(folded.error()));
  return ranges;
}

using Runs = std::vector<std::unique_ptr<SortedRun>>;

Result<void> add_run(const std::vector<KeyChange>& pairs, KeyValueStore& store, Runs& runs) {
  if (pairs.empty()) return {};
  auto run = store.begin_run();
  if (!run) return Failure(std::move(run.error()));
  for (const auto& [key, value] : pairs) {
    if (auto added = (*run)->add(key, *value); !added) return added;
  }
  runs.push_back(std::move(*run));
  return {};
}

// The entries of one index, from all ranges.
Result<void> fill_index(std::string_view prefix, const std::vector<BulkRange>& ranges,
                        const std::stop_token& stop, SortedRun& run) {
  std::vector<std::string_view> keys;
  for (const auto& range : ranges) {
    const auto middle = static_cast<std::ptrdiff_t>(keys.size());
    const auto first = [&](std::string_view key) { return key.substr(0, prefix.size()); };
    const auto part = std::ranges::equal_range(range.index_keys, prefix, {}, first);
    keys.insert(keys.end(), part.begin(), part.end());
    std::inplace_merge(keys.begin(), keys.begin() + middle, keys.end());
  }
  for (const auto key : keys) {
    if (stop.stop_requested()) return told_to_stop();
    if (auto added = run.add(key, {}); !added) return added;
  }
  return {};
}

// Each index is a run: what lies between their keys is in other runs.
Result<void> add_indexes(const std::vector<BulkRange>& ranges, KeyValueStore& store,
                         std::size_t threads, const std::stop_token& stop, Runs& runs) {
  constexpr std::array kPrefixes = {view_keys::kByAcceptance, view_keys::kByState};
  Runs indexes;
  for (std::size_t i = 0; i < kPrefixes.size(); ++i) {
    auto run = store.begin_run();
    if (!run) return Failure(std::move(run.error()));
    indexes.push_back(std::move(*run));
  }
  const auto fill_share = [&](std::size_t share, const std::stop_token& told) -> Result<void> {
    for (auto i = share; i < kPrefixes.size(); i += threads) {
      if (auto filled = fill_index(kPrefixes.at(i), ranges, told, *indexes[i]); !filled) {
        return filled;
      }
    }
    return {};
  };
  auto filled = on_threads(std::min(threads, kPrefixes.size()), stop, fill_share);
  std::ranges::move(indexes, std::back_inserter(runs));
  return filled;
}

std::vector<KeyChange> counters_of(const std::vector<BulkRange>& ranges) {
  StateCounts counts;
  std::int64_t unreadable = 0;
  for (const auto& range : ranges) {
    for (const auto& [state, count] : range.counts) counts[state] += count;
    unreadable += range.unreadable;
  }
  std::vector<KeyChange> pairs;
  if (unreadable > 0) {
    pairs.push_back({view_keys::unreadable_counter(), view_keys::encode_number(unreadable)});
  }
  for (const auto& [state, count] : counts) {
    pairs.push_back({view_keys::counter(state), view_keys::encode_number(count)});
  }
  return pairs;
}

std::vector<KeyChange> positions_of(const Positions& target) {
  std::vector<KeyChange> pairs;
  for (const auto& [partition, offset] : target) {
    if (offset == 0) continue;
    pairs.push_back({view_keys::position(partition), view_keys::encode_number(offset)});
  }
  return pairs;
}

}  // namespace

Result<void> bulk_build(const Positions& target, const BulkSource& source, KeyValueStore& store,
                        const std::filesystem::path& scratch, const BulkOptions& options,
                        const std::stop_token& stop, const TellBuilt& tell) {
  std::deque<EntryPile> piles;
  for (std::size_t i = 0; i < options.threads; ++i) {
    piles.emplace_back(options.memory_bytes / options.threads, scratch);
  }
  Progress progress(tell);
  auto read = on_threads(options.threads, stop,
                         [&](std::size_t number, const std::stop_token& told) -> Result<void> {
                           return read_share(share(target, number, options.threads), source,
                                             options.replay, told, progress, piles[number]);
                         });
  if (!read) return read;

  auto ranges = fold_ranges(piles, store, options.threads, stop);
  if (!ranges) return Failure(std::move(ranges.error()));
  Runs runs;
  if (auto added = add_run(counters_of(*ranges), store, runs); !added) return added;
  if (auto added = add_run(positions_of(target), store, runs); !added) return added;
  if (auto added = add_indexes(*ranges, store, options.threads, stop, runs); !added) return added;
  for (auto& range : *ranges) std::ranges::move(range.runs, std::back_inserter(runs));
  if (stop.stop_requested()) return told_to_stop();
  return store.take_in(std::move(runs));
}

}  // namespace thumb
