// What a member and its group have to do with each other besides records: how it presents itself,
// who it is at the moment, and what the group has committed. Internal to this layer.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "kafka/clients.h"
#include "kafka/rd_client.h"

namespace thumb::kafka {

// Without callbacks.
[[nodiscard]] RdOptions group_options(const GroupOptions& options);

// As GroupConsumer::group_metadata().
[[nodiscard]] Result<std::unique_ptr<GroupMetadata>> member_metadata(rd_kafka_t* client);

// As GroupConsumer::committed().
[[nodiscard]] Result<std::vector<PartitionOffset>> committed_offsets(
    rd_kafka_t* client, std::span<const TopicPartition> partitions,
    std::chrono::milliseconds timeout, const std::stop_token& stop);

}  // namespace thumb::kafka
