// Folds records into a view: rows, indexes, counters and positions of a batch in one write.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "platform/log_position.h"
#include "schemas/topology.h"
#include "state_projector/key_value_store.h"
#include "state_projector/positions.h"
#include "state_projector/row_change.h"

namespace thumb {

// What one batch came to.
struct FoldedBatch {
  std::map<Topic, std::size_t> folded;  // records by topic
  std::size_t skipped = 0;              // below the position: folded before
  std::size_t unreadable = 0;
};

struct ViewWriterOptions {
  // Entries of the change feed that are kept; 0: no feed is written (a view that nobody watches).
  std::uint64_t feed_limit = 0;
};

// For one thread. The only writer of its store; the store must outlive it.
class ViewWriter {
 public:
  // Takes up positions and counters from the store.
  [[nodiscard]] static Result<std::unique_ptr<ViewWriter>> open(
      KeyValueStore& store, const TopicNames& names, const ViewWriterOptions& options = {});

  // Folds `records` (in log order within each partition) and then moves each partition in `ends` on
  // to its position, past control records that no record shows. A record below its partition's
  // position is skipped; one that can't be decoded is kept with its place and reason. On an error
  // nothing has changed and the same batch may be folded again.
  [[nodiscard]] Result<FoldedBatch> apply(std::span<const RecordView> records,
                                          const Positions& ends);

  [[nodiscard]] const Positions& positions() const { return positions_; }

 private:
  struct Batch;
  ViewWriter(KeyValueStore& store, const TopicNames& names, const ViewWriterOptions& options)
      : store_(store), names_(names), options_(options) {}

  void take(const RecordView& record, Batch& batch) const;
  static void decode(Batch& batch);
  [[nodiscard]] Result<void> fold_rows(Batch& batch) const;
  void tell_watchers(const std::optional<ImageRow>& before, const ImageRow& after,
                     Batch& batch) const;
  [[nodiscard]] std::vector<KeyChange> totals(const Batch& batch) const;

  KeyValueStore& store_;
  const TopicNames& names_;
  const ViewWriterOptions options_;
  Positions positions_;
  StateCounts counts_;
  std::int64_t unreadable_ = 0;
  std::uint64_t last_change_ = 0;
};

}  // namespace thumb
