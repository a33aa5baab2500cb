// Records come in order within a partition, so the first one at or past the target, or an end past
// it, says that all below have been seen.
#include "state_projector/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/on_threads.h"

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;

Result<void> check_within_log(const Positions& target, const ClusterState& cluster) {
  for (const auto& [partition, offset] : target) {
    const auto marks = cluster.watermarks.find(partition);
    if (marks == cluster.watermarks.end() || offset > marks->second.high) {
      return fail(
          ErrorKind::kConflict, "position-beyond-log",
          fmt::format("the view stands at offset {} of {}/{}, past the end of the log; start "
                      "the projector, it builds a new one",
                      offset, role_of(partition.topic).name, partition.partition));
    }
  }
  return {};
}

// Leaves the records below the target, and moves `positions` on to where the batch ends.
void take_below(const Positions& target, const TopicNames& names, kafka::ReadBatch& batch,
                Positions& positions) {
  // Records come in stretches of one partition: each is looked up once.
  const RecordView* looked_up = nullptr;
  std::int64_t* position = nullptr;
  std::int64_t limit = 0;
  const auto look_up = [&](const RecordView& record) {
    const auto topic = names.find(record.topic);
    const ViewPartition partition{topic.value_or(Topic{}), record.position.partition};
    limit = topic ? position_of(target, partition) : 0;
    position = topic ? &positions[partition] : nullptr;
  };
  std::size_t kept = 0;
  for (auto& record : batch.records) {
    if (looked_up == nullptr || record.topic != looked_up->topic ||
        record.position.partition != looked_up->position.partition) {
      look_up(record);
    }
    if (position != nullptr) {
      *position = std::max(*position, std::min(record.position.offset + 1, limit));
    }
    const bool below = record.position.offset < limit;
    if (below && &batch.records[kept] != &record) batch.records[kept] = std::move(record);
    looked_up = below ? &batch.records[kept++] : nullptr;
  }
  batch.records.resize(kept);
  for (const auto& [partition, end] : to_positions(batch.ends, names)) {
    auto& at = positions[partition];
    at = std::max(at, std::min(end, position_of(target, partition)));
  }
}

bool reached(const Positions& target, const Positions& positions) {
  return std::ranges::all_of(target, [&](const auto& wanted) {
    return position_of(positions, wanted.first) >= wanted.second;
  });
}

}  // namespace

Result<void> read_until(const Positions& target, const ClusterState& cluster,
                        const TopicNames& names, kafka::PartitionReader& reader,
                        const ReplayOptions& options, const std::stop_token& stop,
                        const TakeRecords& take) {
  if (auto within = check_within_log(target, cluster); !within) return within;
  // Records that retention has removed can't be waited for.
  Positions positions;
  for (const auto& [partition, marks] : cluster.watermarks) {
    positions[partition] = std::min(marks.low, position_of(target, partition));
  }
  if (auto begun = take({}, positions); !begun) return begun;
  if (auto assigned = reader.assign(reading_starts(cluster, positions, names)); !assigned) {
    return assigned;
  }
  auto give_up = Steady::now() + options.patience;
  while (!reached(target, positions)) {
    if (stop.stop_requested()) return told_to_stop();
    auto batch = reader.poll(options.batch_records, options.poll_wait);
    if (!batch) return Failure(std::move(batch.error()));
    if (!batch->records.empty() || !batch->ends.empty()) give_up = Steady::now() + options.patience;
    take_below(target, names, *batch, positions);
    if (auto taken = take(batch->records, positions); !taken) return taken;
    if (Steady::now() >= give_up) {
      return fail_transient(ErrorKind::kTimeout, "replay-stalled",
                            "the broker gives no more records");
    }
  }
  return {};
}

Result<void> replay_until(const Positions& target, const ClusterState& cluster,
                          const TopicNames& names, kafka::PartitionReader& reader,
                          ViewWriter& writer, const ReplayOptions& options,
                          const std::stop_token& stop) {
  return read_until(target, cluster, names, reader, options, stop,
                    [&writer](std::span<const RecordView> records, const Positions& positions) {
                      return writer.apply(records, positions).map([](const FoldedBatch&) {});
                    });
}

}  // namespace thumb
