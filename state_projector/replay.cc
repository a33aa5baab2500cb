// Records come in order within a partition, so the first one at or past the target, or an end past
// it, says that all below have been seen.
#include "state_projector/replay.h"

#include <fmt/format.h>

#include <algorithm>

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

// The part of a batch below the target; `ends` is moved on for what is past it.
std::vector<InRecord> cut(std::vector<InRecord> records, const Positions& target,
                          const TopicNames& names, Positions& ends) {
  std::erase_if(records, [&](const InRecord& record) {
    const auto topic = names.find(record.topic);
    if (!topic) return true;
    const ViewPartition partition{*topic, record.position.partition};
    const auto limit = position_of(target, partition);
    if (record.position.offset < limit) return false;
    ends[partition] = limit;
    return true;
  });
  for (auto& [partition, end] : ends) end = std::min(end, position_of(target, partition));
  return records;
}

// Moves `positions` on past what was read.
void note(std::span<const InRecord> records, const Positions& ends, const TopicNames& names,
          Positions& positions) {
  for (const auto& record : records) {
    const auto topic = names.find(record.topic);
    positions[{*topic, record.position.partition}] = record.position.offset + 1;
  }
  for (const auto& [partition, end] : ends) {
    auto& position = positions[partition];
    position = std::max(position, end);
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
    if (stop.stop_requested()) {
      return fail_transient(ErrorKind::kUnavailable, "stopped", "told to stop");
    }
    auto batch = reader.poll(options.batch_records, options.poll_wait);
    if (!batch) return Failure(std::move(batch.error()));
    if (!batch->records.empty() || !batch->ends.empty()) give_up = Steady::now() + options.patience;
    auto ends = to_positions(batch->ends, names);
    const auto records = cut(std::move(batch->records), target, names, ends);
    note(records, ends, names, positions);
    if (auto taken = take(records, ends); !taken) return taken;
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
                    [&writer](std::span<const InRecord> records, const Positions& ends) {
                      return writer.apply(records, ends).map([](const FoldedBatch&) {});
                    });
}

}  // namespace thumb
