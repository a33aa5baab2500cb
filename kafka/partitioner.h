// Which partition a key belongs to: murmur2 as Java's default partitioner, so that every client
// in every language co-partitions with us. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace thumb::kafka {

[[nodiscard]] std::uint32_t murmur2(std::string_view key);
// REQUIRES: partitions > 0.
[[nodiscard]] std::int32_t partition_for(std::string_view key, std::int32_t partitions);

}  // namespace thumb::kafka
