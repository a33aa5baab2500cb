// How far a view has folded each partition: the vector that makes two views comparable.
#pragma once

#include <cstdint>
#include <map>

#include "schemas/topology.h"

namespace thumb {

struct ViewPartition {
  Topic topic{};
  std::int32_t partition = 0;
  friend auto operator<=>(const ViewPartition&, const ViewPartition&) = default;
};

// Where whoever waits for a change of the feed waits, as if it were a partition: no topic has it.
inline constexpr ViewPartition kFeedPlace{};

// Offsets of the next records to fold; a partition that is not in here stands at 0.
using Positions = std::map<ViewPartition, std::int64_t>;

[[nodiscard]] inline std::int64_t position_of(const Positions& positions,
                                              const ViewPartition& partition) {
  const auto found = positions.find(partition);
  return found == positions.end() ? 0 : found->second;
}

}  // namespace thumb
