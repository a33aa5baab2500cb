// Port: which blobs there are. Apart from BlobStore, since what the pipeline stores it knows by
// name; only what nobody refers to (checkpoints) has to be looked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/result.h"

namespace thumb {

// Thread-safe. Errors: kUnavailable (back off).
class BlobLister {
 public:
  virtual ~BlobLister() = default;
  // Keys that start with `prefix` + '/', sorted by bytes. REQUIRES: two segments or more.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view prefix) = 0;
};

}  // namespace thumb
