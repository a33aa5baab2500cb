// Removes the views that nobody names any more beside all other work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "platform/log.h"
#include "state_projector/view_folder.h"

namespace thumb {

struct ViewSweepOptions {
  // A megabyte is freed in a fraction of a millisecond, also where the disk is told of each block.
  std::uint64_t slice_bytes = std::uint64_t{1} << 20U;
  std::chrono::milliseconds pause{2};  // from one slice to the next: others get at the disk
};

// Owns a thread of low priority, which sleeps until there is something to remove. What it has not
// removed at its end, it or another removes after the next tidy().
class ViewSweeper {
 public:
  // Both must outlive it.
  ViewSweeper(const ViewFolder& folder, Log& log, ViewSweepOptions options = {});
  ViewSweeper(const ViewSweeper&) = delete;
  ViewSweeper& operator=(const ViewSweeper&) = delete;

  // Thread-safe. As ViewFolder::tidy(), but the bytes of the views go later.
  [[nodiscard]] Result<void> tidy();

 private:
  void run(const std::stop_token& stop);
  void sweep(const std::stop_token& stop);

  const ViewFolder& folder_;
  Log& log_;
  const ViewSweepOptions options_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool untidy_ = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb
