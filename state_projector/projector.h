// The projector: keeps one view folded up to the end of the log, and lets another be built beside
// it, to take its place without a moment in which nothing serves.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "platform/log.h"
#include "platform/metrics.h"
#include "state_projector/build_metrics.h"
#include "state_projector/build_progress.h"
#include "state_projector/bulk_start.h"
#include "state_projector/checkpointer.h"
#include "state_projector/cluster_state.h"
#include "state_projector/open_view.h"
#include "state_projector/projector_metrics.h"
#include "state_projector/projector_wishes.h"
#include "state_projector/side_build.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_sweeper.h"

namespace thumb {

struct ProjectorOptions {
  std::filesystem::path view_dir;
  std::size_t batch_records = 10'000;
  std::chrono::milliseconds poll_wait{100};      // also how soon a stop is heeded
  std::chrono::milliseconds ask_timeout{2'000};  // one question to the cluster
  std::chrono::milliseconds retry_pause{1'000};  // between two tries to reach it
  // A view built beside takes over once it lacks no more than so many offsets of the serving one;
  // these are folded while nothing new shows.
  std::int64_t take_over_within = 1'000;
  CheckpointOptions checkpoints{};
  BulkStartOptions at_once{};  // how a view begins when the log is long already
};

// The world it works in. All must outlive it.
struct ProjectorPorts {
  const TopicNames& names;
  kafka::Admin& admin;
  kafka::PartitionReader& reader;
  kafka::PartitionReader& lag_reader;  // for the metrics alone
  // Another reader, for a view that is built beside.
  std::function<Result<std::unique_ptr<kafka::PartitionReader>>()> open_reader;
  ViewOpener::OpenStore open_store;
  CheckpointStore& checkpoints;
  Log& log;
  Metrics& metrics;
};

// For one thread, but for ready(), wishes() and progress().
//
// A view is gone on with if it was folded from this cluster, by this version of rows, and stands
// within the log; else a new one is built, from the newest checkpoint or else the first record, and
// readers keep the old one until the new one has reached the end that the log had at the start.
// While a view serves, another may be built beside it, at a wish or because a build was cut short:
// it takes over once it is at or past the serving one in every partition. The one that served is
// kept, to go back to. A crash at any moment leaves the serving view as it was, and a half-built
// one is gone on with. The projector writes nothing to Kafka and ignores group offsets.
class Projector {
 public:
  // REQUIRES: the caller holds ViewFolder::lock().
  Projector(ProjectorOptions options, ProjectorPorts ports);

  // Until told to stop: then success. Called once. A broker that is away is waited for. Errors (the
  // process should end): "partition-counts-differ", "partition-count-changed", "log-truncated", and
  // what the disk or the consumer can't recover from.
  [[nodiscard]] Result<void> run(const std::stop_token& stop);

  // Thread-safe: the view has reached the end that the log had at the start.
  [[nodiscard]] bool ready() const { return ready_; }
  // Thread-safe. Answers: kConflict "build-in-progress", "nothing-to-go-back-to",
  // "checkpoint-in-progress". A checkpoint is answered when it is stored, all else when it is
  // begun.
  [[nodiscard]] ProjectorWishes& wishes() { return wishes_; }
  // Thread-safe: of the newest build, beside the serving view or before there was one.
  [[nodiscard]] const BuildProgress& progress() const { return progress_; }

 private:
  enum class Ended { kStopped, kLostPlace, kTakenOver };
  // Which view is folded, and how far until it serves.
  struct Folding {
    OpenView view;
    Positions goal;        // it serves once it is there
    bool serving = false;  // it does
  };

  [[nodiscard]] Result<void> keep_folding(const std::stop_token& stop);
  [[nodiscard]] Result<ClusterState> wait_for_cluster(const std::stop_token& stop);
  [[nodiscard]] Result<Folding> choose_view(const ClusterState& cluster,
                                            const std::stop_token& stop);
  [[nodiscard]] Result<OpenView> begin_view(const ClusterState& cluster,
                                            const std::stop_token& stop);
  [[nodiscard]] Result<Ended> fold(Folding& folding, const ClusterState& cluster,
                                   const std::stop_token& stop);
  // Into an empty view, if the log is long; else, or if it can't be done now, nothing.
  void take_in_at_once(OpenView& view, const ClusterState& cluster, const BulkStartOptions& how,
                       const std::stop_token& stop, const TellBuilt& tell) const;
  [[nodiscard]] Result<void> fold_batch(Folding& folding, const kafka::ReadBatch& batch);
  [[nodiscard]] Result<void> serve(Folding& folding);

  // While a view serves, between two batches. True: the one built beside is to take over.
  [[nodiscard]] bool attend(const Folding& folding);
  [[nodiscard]] Result<void> grant(Wish wish);
  [[nodiscard]] Result<void> go_on_building();
  void rebuild();
  [[nodiscard]] Result<void> rebuild_from_checkpoint();
  [[nodiscard]] Result<void> roll_back();
  [[nodiscard]] Result<void> discard();
  void build_beside(const std::string& task, SideBuild::Begin begin);
  void look_after_build();

  // Views to be built; on the thread of a build beside, too.
  [[nodiscard]] Result<OpenView> half_built_or_new(const ClusterState& cluster);
  [[nodiscard]] Result<OpenView> new_view(const ClusterState& cluster);
  [[nodiscard]] Result<OpenView> restored(const ClusterState& cluster,
                                          const std::function<void(const Positions&)>& on_chosen,
                                          const std::stop_token& stop) const;
  void pause(const std::stop_token& stop) const;

  const ProjectorOptions options_;
  const ProjectorPorts ports_;
  const ViewFolder folder_;
  const ViewOpener opener_;
  Log& log_;
  ViewSweeper sweeper_;
  ProjectorMetrics metrics_;
  ProjectorWishes wishes_;
  BuildMetrics build_metrics_;
  BuildProgress progress_;
  Checkpointer checkpointer_;
  std::unique_ptr<SideBuild> beside_;
  std::atomic<bool> ready_{false};
};

}  // namespace thumb
