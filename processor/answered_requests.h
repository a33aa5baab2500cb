// How far the outputs say that the requests of a partition were answered: what an operator needs to
// know who has to put back a lost group offset.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <stop_token>

#include "kafka/consumer.h"
#include "schemas/topology.h"

namespace thumb {

// By partition of image-requests: the offset behind the last request that an output answers. Only
// contiguous prefixes commit, each with its outputs, so that all below it have ended. Requests that
// leave no output (deletions, repeats) may lie between it and the offset that was lost; they are
// handled again, and come to the same end.
//
// `outputs` are partitions of the output topics and of the dead letters, with the offsets to read
// them from; all of each is read. Unreadable records are passed over.
// Errors: kTimeout/"start-timeout" (back off), also after a `stop`; those of `reader`.
[[nodiscard]] Result<std::map<std::int32_t, std::int64_t>> answered_up_to(
    kafka::PartitionReader& reader, const TopicNames& names,
    std::span<const kafka::PartitionOffset> outputs, std::chrono::steady_clock::time_point deadline,
    const std::stop_token& stop);

}  // namespace thumb
