// Writes checkpoints of the view that serves, on a schedule and on demand, and begins views from
// them.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "platform/log.h"
#include "platform/metrics.h"
#include "state_projector/checkpoint_store.h"
#include "state_projector/cluster_state.h"
#include "state_projector/open_view.h"

namespace thumb {

struct CheckpointOptions {
  std::chrono::milliseconds interval{3'600'000};  // 0: only on demand
  std::size_t keep = 3;                           // older ones are removed
};

// The copy of a view's files is made at once (hard links), and stored from a thread of its own, so
// folding goes on. For one thread. All references must outlive it.
class Checkpointer {
 public:
  using Done = std::function<void(const Result<void>&)>;

  Checkpointer(CheckpointStore& store, const ViewFolder& folder, CheckpointOptions options,
               Log& log, Metrics& metrics);
  ~Checkpointer() { stop(); }
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Begins one if the schedule says so.
  void look(const OpenView& view);
  // `done` is called on another thread once it is stored, or at once: kConflict
  // "checkpoint-in-progress".
  void begin(const OpenView& view, Done done);
  // Waits for the one that is being written.
  void finish();
  // Gives it up; its `done` is told so.
  void stop();

 private:
  // Whoever watches the log and the metrics: nobody may have asked for this one.
  void tell(const Result<void>& stored);

  CheckpointStore& store_;
  const ViewFolder& folder_;
  const CheckpointOptions options_;
  Log& log_;
  prometheus::Counter& written_;
  prometheus::Counter& failed_;
  std::chrono::steady_clock::time_point next_;
  std::atomic<bool> busy_{false};
  std::jthread thread_;
};

// Writes one of the serving view now. REQUIRES: the caller holds ViewFolder::lock().
// kNotFound/"no-view".
[[nodiscard]] Result<void> checkpoint_serving_view(CheckpointStore& checkpoints,
                                                   const ViewFolder& folder,
                                                   const ViewOpener::OpenStore& open_store,
                                                   CheckpointOptions options, Log& log);

struct RestoredView {
  std::string id;
  std::unique_ptr<KeyValueStore> store;
};

// Makes the newest good checkpoint of this program's row version and of the cluster, that stands
// within the log, a new view of the folder, named by `next`. Empty if there is none. `on_chosen` is
// told where one stands before its files are brought, so that the log behind it may be fetched
// meanwhile; again if that one is damaged. REQUIRES: the caller holds ViewFolder::lock().
[[nodiscard]] Result<std::optional<RestoredView>> restore_as_next(
    CheckpointStore& checkpoints, const ViewFolder& folder, const ViewOpener::OpenStore& open_store,
    const ClusterState& cluster, const std::function<void(const Positions&)>& on_chosen, Log& log,
    const std::stop_token& stop);

}  // namespace thumb
