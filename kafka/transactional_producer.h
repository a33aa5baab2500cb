// Port: output records and input offsets, all or nothing.
#pragma once

#include <span>

#include "kafka/types.h"

namespace thumb::kafka {

// For one thread. Each input partition must belong to exactly one producer of its process: two
// used in turn lose records.
class TransactionalProducer {
 public:
  virtual ~TransactionalProducer() = default;

  // One short transaction: begin, produce `records`, send `offsets` (of the *next* records to read)
  // for the group, commit. On success both are visible to read_committed readers and to the group.
  // On failure nothing of it is visible, and the error says what to do:
  //   Retry::kBackoff  the transaction was aborted; call again with the same arguments
  //   Retry::kFatal    this producer is fenced or broken; replace it. Whether the commit took effect is
  //                    unknown only for kTimeout: read the group's committed offsets before repeating.
  [[nodiscard]] virtual Result<void> commit_batch(std::span<const OutRecord> records,
                                                  std::span<const PartitionOffset> offsets,
                                                  const GroupMetadata& group) = 0;
};

}  // namespace thumb::kafka
