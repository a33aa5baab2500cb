// Which partitions a group gave to its member, and of which of them there are records to be had.
// Internal to this layer.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "kafka/rd_handles.h"

namespace thumb::kafka {

// For the polling thread. Errors are kFatal: the consumer must be replaced.
class RdAssignment {
 public:
  // The handle may be made later; REQUIRES: it is there at the first call, and outlives this.
  explicit RdAssignment(const RdClient& client) : client_(client) {}

  // The protocol wants every partition taken; what has no start is held, and never read.
  [[nodiscard]] Result<void> take(std::span<const TopicPartition> partitions,
                                  std::span<const PartitionOffset> starts);
  // REQUIRES: forget() was told of those that are read.
  [[nodiscard]] Result<void> give_back(const rd_kafka_topic_partition_list_t& partitions);

  // Their records are not wanted any more. The library keeps a pause beyond its assignment, so it
  // ends here too.
  void forget(std::span<const TopicPartition> partitions);
  // Exactly these of them are not read for now.
  void pause_only(std::span<const TopicPartition> partitions);

  [[nodiscard]] bool reads(const TopicPartition& tp) const { return readable_.contains(tp); }

 private:
  void resume(const std::vector<TopicPartition>& partitions);

  const RdClient& client_;
  std::set<TopicPartition> readable_;  // those that have a start
  std::set<TopicPartition> paused_;    // those of them that the caller wants no records of
};

}  // namespace thumb::kafka
