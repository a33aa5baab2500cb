// When was the first record at an offset appended? Looked up by reading it.
#pragma once

#include <map>
#include <span>
#include <stop_token>

#include "kafka/consumer.h"
#include "platform/clock.h"

namespace thumb::kafka {

// The timestamp of the first committed record at or behind each start; a partition without one is
// absent. Uses `reader` for itself: what it read before is lost, and it is left without partitions.
// Errors: those of the reader; kTimeout/"read-timeout" (back off), also after a `stop`.
[[nodiscard]] Result<std::map<TopicPartition, TimeMs>> first_records(
    PartitionReader& reader, std::span<const PartitionOffset> starts, Deadline deadline,
    const std::stop_token& stop);

}  // namespace thumb::kafka
