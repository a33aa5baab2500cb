// The projector: keeps one view folded up to the end of the log, and builds another beside it when
// the one that serves can't be gone on with.
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
#include "state_projector/cluster_state.h"
#include "state_projector/projector_metrics.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_writer.h"

namespace thumb {

struct ProjectorOptions {
  std::filesystem::path view_dir;
  std::size_t batch_records = 10'000;
  std::chrono::milliseconds poll_wait{100};      // also how soon a stop is heeded
  std::chrono::milliseconds ask_timeout{2'000};  // one question to the cluster
  std::chrono::milliseconds retry_pause{1'000};  // between two tries to reach it
};

// For one thread, but for ready().
//
// A view is gone on with if it was folded from this cluster, by this version of rows, and stands
// within the log; else a new one is built from the first record, and readers keep the old one until
// the new one has reached the end that the log had at the start. A crash at any moment leaves
// the serving view as it was, and a half-built one is gone on with. It writes nothing to Kafka and
// ignores group offsets.
class Projector {
 public:
  using OpenStore =
      std::function<Result<std::unique_ptr<KeyValueStore>>(const std::filesystem::path&)>;

  // All references must outlive it. REQUIRES: the caller holds ViewFolder::lock().
  Projector(ProjectorOptions options, const TopicNames& names, kafka::Admin& admin,
            kafka::PartitionReader& reader, OpenStore open_store, Log& log, Metrics& metrics);

  // Until told to stop: then success. A broker that is away is waited for. Errors (the process
  // should end): "partition-counts-differ", "partition-count-changed", "log-truncated", and what
  // the disk or the consumer can't recover from.
  [[nodiscard]] Result<void> run(const std::stop_token& stop);

  // Thread-safe: the view has reached the end that the log had at the start.
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  struct OpenView {
    std::string id;
    std::unique_ptr<KeyValueStore> store;
    std::unique_ptr<ViewWriter> writer;
    bool serving = false;
  };
  enum class Ended { kStopped, kLostPlace };

  [[nodiscard]] Result<ClusterState> wait_for_cluster(const std::stop_token& stop);
  [[nodiscard]] Result<OpenView> choose_view(const ClusterState& cluster);
  [[nodiscard]] Result<std::optional<OpenView>> reopen(const std::string& id,
                                                       const ClusterState& cluster);
  [[nodiscard]] Result<OpenView> build_view(const ClusterState& cluster);
  [[nodiscard]] Result<void> check_log_start(const ClusterState& cluster,
                                             const Positions& positions);
  [[nodiscard]] Result<Ended> fold(OpenView& view, const ClusterState& cluster,
                                   const std::stop_token& stop);
  [[nodiscard]] Result<void> fold_batch(OpenView& view, const kafka::ReadBatch& batch);
  [[nodiscard]] Result<void> serve(OpenView& view);
  void pause(const std::stop_token& stop) const;

  const ProjectorOptions options_;
  const ViewFolder folder_;
  const TopicNames& names_;
  kafka::Admin& admin_;
  kafka::PartitionReader& reader_;
  const OpenStore open_store_;
  Log& log_;
  ProjectorMetrics metrics_;
  std::atomic<bool> ready_{false};
};

}  // namespace thumb
