// Builds a view from the log all at once, several times faster than record by record: all entries
// are sorted by image first, so that each row is made once, and come into the database as whole
// sorted files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

#include "kafka/consumer.h"
#include "state_projector/cluster_state.h"
#include "state_projector/key_value_store.h"
#include "state_projector/positions.h"
#include "state_projector/replay.h"

namespace thumb {

struct BulkOptions {
  // What is collected and not yet sorted away, over all threads. Past it, files in the scratch
  // folder take the rest. Readers' queues and the database's own buffers come on top.
  std::size_t memory_bytes = std::size_t{512} << 20U;
  std::size_t threads = 2;
  ReplayOptions replay{};
};

// Where a build has come to: called between two batches, by one thread at a time.
using TellBuilt = std::function<void(const Positions& positions, std::size_t records)>;

struct BulkSource {
  const ClusterState& cluster;
  const TopicNames& names;
  // A reader for each thread: partition number p of all topics is one thread's.
  std::function<Result<std::unique_ptr<kafka::PartitionReader>>()> open_reader;
};

// Folds each partition from its first record up to `target` (exclusive) into `store`: rows,
// indexes, counters, history, unreadable records and positions, the same bytes as ViewWriter's
// without a feed. REQUIRES: `store` holds nothing but its description. All of it appears in the
// store at the end and at once: until then, and after any error or crash, the view stands at
// position 0 with nothing in it. `scratch` is a folder that is removed when this is over, or after
// a crash. Errors: those of read_until(), of the store, and of the file system.
[[nodiscard]] Result<void> bulk_build(const Positions& target, const BulkSource& source,
                                      KeyValueStore& store, const std::filesystem::path& scratch,
                                      const BulkOptions& options, const std::stop_token& stop,
                                      const TellBuilt& tell = {});

}  // namespace thumb
