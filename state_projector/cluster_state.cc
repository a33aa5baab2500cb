// A start waits for these answers, so all partitions are asked about at once.
#include "state_projector/cluster_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "kafka/topic_provisioner.h"

namespace thumb {
namespace {

std::vector<std::string> projected_topics(const TopicNames& names) {
  std::vector<std::string> topics;
  for (const auto topic : kProjectedTopics) topics.push_back(names.of(topic));
  return topics;
}

std::string place_text(const ViewPartition& partition) {
  return fmt::format("{}/{}", role_of(partition.topic).name, partition.partition);
}

struct Lost {
  std::int64_t position;
  std::int64_t low;
};

// Partitions of which records at or past `positions` are gone. Retention takes hints.
std::map<ViewPartition, Lost> lost_since(const ClusterState& cluster, const Positions& positions) {
  std::map<ViewPartition, Lost> lost;
  for (const auto& [partition, marks] : cluster.watermarks) {
    const auto position = position_of(positions, partition);
    if (position < marks.low && partition.topic != Topic::kThumbnailStarted)
      lost[partition] = {position, marks.low};
  }
  return lost;
}

}  // namespace

Result<ClusterState> ask_cluster(kafka::Admin& admin, const TopicNames& names,
                                 std::chrono::milliseconds timeout) {
  ClusterState state;
  auto id = admin.cluster_id(timeout);
  if (!id) return Failure(std::move(id.error()));
  state.cluster_id = std::move(*id);
  const auto partitions = kafka::require_topics(admin, projected_topics(names), timeout);
  if (!partitions) return Failure(partitions.error());
  state.partitions = *partitions;
  std::vector<kafka::TopicPartition> asked;
  for (const auto topic : kProjectedTopics) {
    for (std::int32_t partition = 0; partition < *partitions; ++partition) {
      asked.push_back({names.of(topic), partition});
    }
  }
  const auto marks = admin.watermarks_of(asked, timeout);
  if (!marks) return Failure(marks.error());
  for (const auto& [tp, found] : *marks) {
    if (const auto topic = names.find(tp.topic)) state.watermarks[{*topic, tp.partition}] = found;
  }
  return state;
}

Positions ends_of(const ClusterState& cluster) {
  Positions ends;
  for (const auto& [partition, marks] : cluster.watermarks) ends[partition] = marks.high;
  return ends;
}

std::vector<kafka::PartitionOffset> reading_starts(const ClusterState& cluster,
                                                   const Positions& positions,
                                                   const TopicNames& names) {
  std::vector<kafka::PartitionOffset> starts;
  for (const auto& [partition, marks] : cluster.watermarks) {
    starts.push_back({{names.of(partition.topic), partition.partition},
                      std::max(position_of(positions, partition), marks.low)});
  }
  return starts;
}

Result<void> check_log_start(const ClusterState& cluster, const Positions& positions, Log& log) {
  for (const auto& [partition, lost] : lost_since(cluster, positions)) {
    if (lost.position > 0) {
      return fail(ErrorKind::kConflict, "log-truncated",
                  fmt::format("{} begins at offset {}, the view stands at {}: records between are "
                              "lost to it; restore the log, or delete the view and the checkpoints "
                              "of this cluster to fold what is left",
                              place_text(partition), lost.low, lost.position));
    }
    log.warn("the log has lost its beginning, the view will lack it",
             {{"partition", place_text(partition)}, {"first_offset", lost.low}});
  }
  return {};
}

std::string lost_beginning(const ClusterState& cluster, const Positions& positions) {
  const auto lost = lost_since(cluster, positions);
  if (lost.empty()) return {};
  return fmt::format("{} begins at offset {}", place_text(lost.begin()->first),
                     lost.begin()->second.low);
}

Result<void> require_log_since(const ClusterState& cluster, const Positions& positions) {
  const auto lost = lost_beginning(cluster, positions);
  if (lost.empty()) return {};
  return fail(ErrorKind::kConflict, "log-truncated",
              lost +
                  ": a view folded from the log would lack records that the serving one has, "
                  "which goes on; restore the log, or stop the projector and rebuild --force "
                  "to have only what is left");
}

Positions to_positions(const std::vector<kafka::PartitionOffset>& ends, const TopicNames& names) {
  Positions positions;
  for (const auto& end : ends) {
    if (const auto topic = names.find(end.tp.topic)) {
      positions[{*topic, end.tp.partition}] = end.offset;
    }
  }
  return positions;
}

}  // namespace thumb
