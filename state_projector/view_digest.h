// The digest of a view: what two views must share to count as the same (docs/view_format.md).
#pragma once

#include <string>

#include "state_projector/key_value_store.h"
#include "state_projector/positions.h"

namespace thumb {

struct ViewDigest {
  Positions positions;  // at which the digest holds
  std::string sha256;   // 64 lower-case hex digits
};

// Reads all rows. REQUIRES: the view does not change meanwhile.
[[nodiscard]] Result<ViewDigest> digest_of(const KeyValueReader& view);

// Ids of the images whose canonical rows differ, the first `limit` by id. REQUIRES as above.
[[nodiscard]] Result<std::vector<std::string>> differing_images(const KeyValueReader& a,
                                                                const KeyValueReader& b,
                                                                std::size_t limit);

}  // namespace thumb
