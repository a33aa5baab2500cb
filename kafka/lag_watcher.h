// Asks every few seconds how far a reader of the log is behind its end, in records and in time.
// Measured by the records that arrive, lag would be smallest just when they stop arriving.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "platform/clock.h"

namespace thumb::kafka {

struct Lag {
  std::int64_t position = 0;     // the next offset to read
  std::int64_t end = 0;          // high watermark
  std::optional<TimeMs> behind;  // log time of the first record that was not read; none: no lag

  [[nodiscard]] std::int64_t records() const { return end > position ? end - position : 0; }
  // Of the first record that was not read. Zero where that is not known, or where the broker's
  // clock is ahead of ours.
  [[nodiscard]] std::chrono::milliseconds age(TimeMs now) const {
    const std::chrono::milliseconds none{0};
    return records() > 0 && behind ? std::max(none, now - *behind) : none;
  }
};

using Lags = std::map<TopicPartition, Lag>;

// ReaderOptions::queue_bytes of a reader that looks at one record a partition.
inline constexpr std::size_t kLagReaderBytes = 1U << 20U;

// Has a thread of its own.
class LagWatcher {
 public:
  using Positions = std::map<TopicPartition, std::int64_t>;

  // `positions` says where the reader stands, `on_lags` gets what was found of those partitions;
  // both are called on the watcher's thread. While the broker is away nothing is told. `reader` is
  // for this watcher alone. REQUIRES: all of it outlives the watcher.
  LagWatcher(Admin& admin, PartitionReader& reader, std::function<Positions()> positions,
             std::function<void(const Lags&)> on_lags,
             std::chrono::milliseconds interval = std::chrono::seconds(5));

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] std::optional<Lags> measure(const std::stop_token& stop);

  Admin& admin_;
  PartitionReader& reader_;
  std::function<Positions()> positions_;
  std::function<void(const Lags&)> on_lags_;
  std::chrono::milliseconds interval_;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb::kafka
