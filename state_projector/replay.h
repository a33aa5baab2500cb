// Folds the log anew up to given positions: what verify compares with and what rebuild swaps in.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include "kafka/consumer.h"
#include "state_projector/cluster_state.h"
#include "state_projector/positions.h"
#include "state_projector/view_writer.h"

namespace thumb {

struct ReplayOptions {
  // Few enough to be in the CPU's cache still when they are taken apart: 10,000 were slower by a
  // tenth.
  std::size_t batch_records = 500;
  std::chrono::milliseconds poll_wait{100};
  // Given up if no record and no end arrives for so long.
  std::chrono::milliseconds patience{60'000};
};

// Takes what was read: records below the target, in log order within each partition, and the
// positions that the reading has come to with them. An error ends the reading.
using TakeRecords =
    std::function<Result<void>(std::span<const RecordView> records, const Positions& positions)>;

// Reads each partition of `cluster` from its first record up to `target` (exclusive). Errors: those
// of reader and `take`; kConflict/"position-beyond-log" (never) if the log is shorter than
// `target`; kTimeout/"replay-stalled" (back off); kUnavailable/"stopped".
[[nodiscard]] Result<void> read_until(const Positions& target, const ClusterState& cluster,
                                      const TopicNames& names, kafka::PartitionReader& reader,
                                      const ReplayOptions& options, const std::stop_token& stop,
                                      const TakeRecords& take);

// Folds what read_until() reads into `writer`, whose view is empty at first and stands at exactly
// `target` afterwards.
[[nodiscard]] Result<void> replay_until(const Positions& target, const ClusterState& cluster,
                                        const TopicNames& names, kafka::PartitionReader& reader,
                                        ViewWriter& writer, const ReplayOptions& options,
                                        const std::stop_token& stop);

}  // namespace thumb
