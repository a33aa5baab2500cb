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
  // Blocks up to about 8 s if the broker is gone, usually 5-20 ms.
  // On failure nothing of it is visible, and the error says what to do:
  //   Retry::kBackoff  the transaction was aborted; call again with the same arguments. But for
  //                    "stale-member": the group has moved on, so first take group_metadata() anew,
  //                    and leave out what no longer belongs to the assignment.
  //   Retry::kNever    kTooLarge/"record-too-large": aborted; these records will never pass. The
  //                    next call may be aborted once more (kBackoff).
  //   Retry::kFatal    this producer is fenced or broken; replace it. Only if the kind is kTimeout
  //                    ("commit-outcome-unknown") may the commit have taken effect: read the
  //                    group's committed offsets before repeating. That read waits until the broker
  //                    has decided the open transaction: at once if a new producer has taken the
  //                    same transactional id, else after the transaction time-out.
  [[nodiscard]] virtual Result<void> commit_batch(std::span<const OutRecord> records,
                                                  std::span<const PartitionOffset> offsets,
                                                  const GroupMetadata& group) = 0;
};

}  // namespace thumb::kafka
