// Ports: reading the log. GroupConsumer shares partitions with the members of its group;
// PartitionReader reads the partitions it is told, from the offsets it is told.
// Both see committed records only (read_committed). For one thread, but for wake().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "kafka/types.h"

namespace thumb::kafka {

// Told of every change of the assignment, from within GroupConsumer::poll or close (same thread).
// Each partition that on_assigned took comes back in exactly one on_revoked or on_lost.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  // New partitions. Returns where to start reading each; one left out is held, and never read. An
  // error ends the consumer (poll returns it as kFatal); then none of `partitions` was taken.
  [[nodiscard]] virtual Result<std::vector<PartitionOffset>> on_assigned(
      std::span<const TopicPartition> partitions) = 0;
  // Still ours until this returns: commit what is finished, forget the rest.
  virtual void on_revoked(std::span<const TopicPartition> partitions) = 0;
  // Already somebody else's: forget everything, commit nothing.
  virtual void on_lost(std::span<const TopicPartition> partitions) = 0;
};

class GroupConsumer {
 public:
  virtual ~GroupConsumer() = default;

  // Up to `max` records; returns as soon as there is one, after wake(), after a change of the
  // assignment, or after `wait`. Calls the RebalanceListener; none of the records is of a partition
  // that the same call took away. Errors: kFatal when the consumer must be replaced
  // ("offset-out-of-range": the log does not hold a start); transient trouble is logged and waited
  // out.
  [[nodiscard]] virtual Result<std::vector<InRecord>> poll(std::size_t max,
                                                           std::chrono::milliseconds wait) = 0;
  // Ends a poll that waits, or else the next one that would. The one call allowed from any thread.
  virtual void wake() = 0;

  // Of the assigned partitions exactly these are not read from now on; the member keeps them, and
  // goes on answering its group by poll(). A partition left out is read on, from where poll()
  // stood. Ends with the assignment. What was fetched of them is fetched again: not for every turn.
  virtual void pause_only(std::span<const TopicPartition> partitions) = 0;

  // The group's committed offset of each partition; -1 where there is none. While a transaction
  // with offsets of the group is open there is no answer. A `stop` ends the wait within seconds.
  // Errors: kTimeout (back off), also after a stop; those of the cluster.
  [[nodiscard]] virtual Result<std::vector<PartitionOffset>> committed(
      std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout,
      const std::stop_token& stop) = 0;
  // Of this moment: take it anew for every commit. Error: kConflict/"not-in-group" (back off) while
  // the member has no part in the group; nothing may be committed then.
  [[nodiscard]] virtual Result<std::unique_ptr<GroupMetadata>> group_metadata() = 0;

  // Leaves the group at once, through on_revoked, where commits are still accepted. The destructor
  // does the same.
  virtual void close() = 0;
};

// A batch of one PartitionReader::poll. Must not outlive the reader.
struct ReadBatch {
  std::vector<RecordView> records;
  // Partitions whose end was reached: the next offset, past control records that no record shows.
  // Comes after all records below it.
  std::vector<PartitionOffset> ends;
  std::shared_ptr<const void> memory;  // what the records look into; goes with the batch
};

class PartitionReader {
 public:
  virtual ~PartitionReader() = default;
  // Replaces what is read. Offsets are those of the first records wanted. What is being fetched
  // stays if the same is asked for again before anything of it was read.
  [[nodiscard]] virtual Result<void> assign(std::span<const PartitionOffset> starts) = 0;
  // Up to `max` records. Returns as soon as something is there, or empty after `wait`.
  // Errors: "offset-out-of-range" (kNever: the log does not hold the position), kFatal others.
  [[nodiscard]] virtual Result<ReadBatch> poll(std::size_t max, std::chrono::milliseconds wait) = 0;
};

}  // namespace thumb::kafka
