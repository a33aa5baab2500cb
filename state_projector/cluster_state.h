// What the projector needs to know of the cluster before it folds: who it is and what the log
// holds.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "platform/log.h"
#include "state_projector/positions.h"

namespace thumb {

struct ClusterState {
  std::string cluster_id;
  std::int32_t partitions = 0;  // of every projected topic
  std::map<ViewPartition, kafka::Watermarks> watermarks;
};

// Asks for every partition of the projected topics. Errors: those of kafka::Admin and
// kafka::require_topics (kNotFound/"topic-missing", kConflict/"partition-counts-differ").
[[nodiscard]] Result<ClusterState> ask_cluster(kafka::Admin& admin, const TopicNames& names,
                                               std::chrono::milliseconds timeout);

// The end of the log: where the next record of each partition will be.
[[nodiscard]] Positions ends_of(const ClusterState& cluster);

// Where to start reading: each partition's position, or the log's first record if that is later.
[[nodiscard]] std::vector<kafka::PartitionOffset> reading_starts(const ClusterState& cluster,
                                                                 const Positions& positions,
                                                                 const TopicNames& names);

// Whether the log still holds what comes after `positions`. Retention takes hints only, all else is
// kept for ever, or somebody changed a setting: kConflict/"log-truncated" (never) if records
// between are gone; a line in `log` if a view that begins will lack some.
[[nodiscard]] Result<void> check_log_start(const ClusterState& cluster, const Positions& positions,
                                           Log& log);

// The first partition that has lost records at or past `positions`, and where it begins, for
// people; empty if there is none.
[[nodiscard]] std::string lost_beginning(const ClusterState& cluster, const Positions& positions);

// check_log_start() of a view that is to take the place of one that was folded while the log was
// whole: there a lost beginning is an error too.
[[nodiscard]] Result<void> require_log_since(const ClusterState& cluster,
                                             const Positions& positions);

// A batch's partition ends as positions; those of other topics are left out.
[[nodiscard]] Positions to_positions(const std::vector<kafka::PartitionOffset>& ends,
                                     const TopicNames& names);

}  // namespace thumb
