// Asks every few seconds where the log ends, so that lag can be shown. Measured by the records that
// arrive, it would be smallest just when they stop arriving.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "kafka/admin.h"

namespace thumb::kafka {

// Has a thread of its own.
class EndWatcher {
 public:
  using Ends = std::map<TopicPartition, std::int64_t>;  // high watermarks

  // `partitions` says what to ask for, `on_ends` gets what was answered; both are called on the
  // watcher's thread. While the broker is away nothing is told.
  // REQUIRES: `admin` outlives it, and so does what the functions use.
  EndWatcher(Admin& admin, std::function<std::vector<TopicPartition>()> partitions,
             std::function<void(const Ends&)> on_ends,
             std::chrono::milliseconds interval = std::chrono::seconds(5));

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] Ends ask(const std::stop_token& stop);

  Admin& admin_;
  std::function<std::vector<TopicPartition>()> partitions_;
  std::function<void(const Ends&)> on_ends_;
  std::chrono::milliseconds interval_;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb::kafka
