// The digest of a view: what two views must share to count as the same (docs/view_format.md).
#pragma once

#include <string>
#include <vector>

#include "state_projector/key_value_store.h"
#include "state_projector/positions.h"

namespace thumb {

struct ViewDigest {
  Positions positions;  // at which the digest holds
  // 64 lower-case hex digits each. By partition number: of the rows whose id belongs there, as the
  // partitioner has it. So two digests that differ say which stretch of the log to look at.
  std::vector<std::string> partitions;
  std::string sha256;  // over those of the partitions
};

// Reads all rows. REQUIRES: the view does not change meanwhile.
[[nodiscard]] Result<ViewDigest> digest_of(const KeyValueReader& view);

}  // namespace thumb
