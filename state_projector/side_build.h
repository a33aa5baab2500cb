// Folds a view beside the one that serves: threads and a reader of its own, a database of its own,
// at a low priority.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "state_projector/build_progress.h"
#include "state_projector/open_view.h"

namespace thumb {

struct SideBuildOptions {
  std::size_t batch_records = 10'000;
  std::chrono::milliseconds poll_wait{100};      // also how soon a stop is heeded
  std::chrono::milliseconds ask_timeout{2'000};  // one question to the cluster
  std::chrono::milliseconds retry_pause{1'000};  // between two tries to reach it
};

// Begins at once and goes on, also past the end that the log had, until it is taken over. What it
// folds is in the view at once, so one that is killed is gone on with by opening the view again.
// For the thread that made it; tells `progress`.
class SideBuild {
 public:
  // Opens the view to be built, on the build's thread, knowing how the log stands by then.
  using Begin = std::function<Result<OpenView>(const ClusterState&, const std::stop_token&)>;
  // The same for what it is folded from: so its threads have the build's priority.
  using OpenReader = std::function<Result<std::unique_ptr<kafka::PartitionReader>>()>;

  // All references must outlive it.
  SideBuild(Begin begin, OpenReader open_reader, kafka::Admin& admin, const TopicNames& names,
            SideBuildOptions options, BuildProgress& progress);
  // Stops at the end of a batch.
  ~SideBuild();
  SideBuild(const SideBuild&) = delete;
  SideBuild& operator=(const SideBuild&) = delete;

  // Whether it lacks no more than so many offsets to be at or past `wanted` in every partition.
  [[nodiscard]] bool within(std::int64_t offsets, const Positions& wanted) const;
  // Why it has ended by itself; empty while it goes on.
  [[nodiscard]] std::optional<Error> failure() const;
  // Stops it; the view as it stands then. REQUIRES: within() was true; called once,
  // last.
  [[nodiscard]] OpenView take();

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] Result<ClusterState> wait_for_cluster(const std::stop_token& stop);
  [[nodiscard]] Result<void> fold(const std::stop_token& stop);
  void show_positions();

  const Begin begin_;
  OpenView view_;  // of the thread, until it has ended
  const OpenReader open_reader_;
  kafka::Admin& admin_;
  const TopicNames& names_;
  const SideBuildOptions options_;
  BuildProgress& progress_;

  mutable std::mutex mutex_;
  std::optional<Positions> positions_;  // once there is a view
  std::optional<Error> failure_;

  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb
