// Reads given stretches of partitions, each to its end, once: for tools that look something up in
// the log.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include "kafka/consumer.h"

namespace thumb::kafka {

// [from, to): `to` is what was the high watermark, say.
struct Stretch {
  TopicPartition tp;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

struct StretchOptions {
  std::size_t batch_records = 10'000;
  std::chrono::milliseconds poll_wait{100};
  // Given up if nothing arrives for so long. Longer than a transaction may stand open, since what
  // lies behind an open one is not readable.
  std::chrono::milliseconds patience{60'000};
};

// Calls `take` with each committed record, in order within a partition; an error of it, or a
// `stop`, ends the reading. One stretch a partition; those that are empty are read at once.
// Afterwards the reader has no assignment. Errors: those of `take` and of PartitionReader;
// kTimeout/"read-stalled" and kUnavailable/"stopped" (back off).
[[nodiscard]] Result<void> read_stretches(PartitionReader& reader,
                                          std::span<const Stretch> stretches,
                                          const std::function<Result<void>(const InRecord&)>& take,
                                          const StretchOptions& options,
                                          const std::stop_token& stop);

}  // namespace thumb::kafka
