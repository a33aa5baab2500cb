#include "state_projector/checkpointer.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "platform/background.h"
#include "platform/clock.h"
#include "state_projector/scratch_folder.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;

std::string objection(const CheckpointManifest& manifest, const ClusterState& cluster) {
  if (manifest.row_version != kRowVersion) return "of another row version";
  if (manifest.cluster_id != cluster.cluster_id) return "of another cluster";
  if (manifest.partitions != cluster.partitions) return "of another number of partitions";
  for (const auto& [partition, position] : manifest.positions) {
    const auto marks = cluster.watermarks.find(partition);
    if (marks != cluster.watermarks.end() && position > marks->second.high) {
      return "it stands past the end of the log";
    }
  }
  return {};
}

// A copy of a view's files, and what it is of.
struct Copy {
  ScratchFolder scratch;
  CheckpointManifest manifest;
  [[nodiscard]] std::filesystem::path path() const { return scratch.path() / "view"; }
};

// On the folder's own file system, where files can be shared.
Result<Copy> copy_of(KeyValueStore& view, const ViewFolder& folder) {
  const auto meta = read_meta(view);
  if (!meta) return Failure(meta.error());
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));
  auto scratch = ScratchFolder::make(folder.root());
  if (!scratch) return Failure(std::move(scratch.error()));
  Copy copy{std::move(*scratch),
            {meta->row_version,
             meta->cluster_id,
             meta->view_id,
             meta->partitions,
             SystemClock().now(),
             std::move(*positions),
             {}}};
  if (auto copied = view.copy_to(copy.path()); !copied) return Failure(std::move(copied.error()));
  return copy;
}

Result<void> save_and_prune(CheckpointStore& checkpoints, const Copy& copy, std::size_t keep,
                            Log& log, const std::stop_token& stop) {
  const auto prefix = checkpoints.save(copy.path(), copy.manifest, stop);
  if (!prefix) return Failure(prefix.error());
  log.info("checkpoint written", {{"checkpoint", *prefix}});
  const auto& [version, cluster] = std::pair(copy.manifest.row_version, copy.manifest.cluster_id);
  auto pruned = checkpoints.prune(checkpoint_shelf(version, cluster), keep);
  return pruned ? checkpoints.prune_older_versions(version, cluster) : pruned;
}

}  // namespace

Checkpointer::Checkpointer(CheckpointStore& store, const ViewFolder& folder,
                           CheckpointOptions options, Log& log, Metrics& metrics)
    : store_(store),
      folder_(folder),
      options_(options),
      log_(log),
      written_(metrics.counter("thumb_view_checkpoints_total", "Checkpoints stored")),
      failed_(metrics.counter("thumb_view_checkpoint_failures_total",
                              "Checkpoints that could not be stored")),
      next_(Steady::now() + options.interval) {}

void Checkpointer::stop() {
  thread_.request_stop();
  finish();
}

void Checkpointer::finish() {
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::look(const OpenView& view) {
  if (options_.interval.count() == 0 || Steady::now() < next_ || busy_) return;
  begin(view, [](const Result<void>&) {});
}

void Checkpointer::begin(const OpenView& view, Done done) {
  if (busy_) {
    return done(fail(ErrorKind::kConflict, "checkpoint-in-progress", "one is being written"));
  }
  next_ = Steady::now() + options_.interval;
  auto copied = copy_of(*view.store, folder_);
  if (!copied) {
    tell(Failure(copied.error()));
    return done(Failure(copied.error()));
  }
  finish();  // the last one's thread, which has done its work
  busy_ = true;
  thread_ = std::jthread([this, copy = std::make_shared<Copy>(std::move(*copied)),
                          done = std::move(done)](const std::stop_token& stop) {
    run_in_background();
    const auto stored = save_and_prune(store_, *copy, options_.keep, log_, stop);
    tell(stored);
    busy_ = false;
    done(stored);
  });
}

void Checkpointer::tell(const Result<void>& stored) {
  (stored ? written_ : failed_).Increment();
  if (!stored) log_.error("no checkpoint was written", stored.error());
}

Result<void> checkpoint_serving_view(CheckpointStore& checkpoints, const ViewFolder& folder,
                                     const ViewOpener::OpenStore& open_store,
                                     CheckpointOptions options, Log& log) {
  const auto current = folder.current();
  if (!current) return Failure(current.error());
  if (!*current) return fail(ErrorKind::kNotFound, "no-view", "there is no view yet");
  const auto store = open_store(folder.path_of(**current));
  if (!store) return Failure(store.error());
  const auto copy = copy_of(**store, folder);
  if (!copy) return Failure(copy.error());
  return save_and_prune(checkpoints, *copy, options.keep, log, {});
}

Result<std::optional<RestoredView>> restore_as_next(
    CheckpointStore& checkpoints, const ViewFolder& folder, const ViewOpener::OpenStore& open_store,
    const ClusterState& cluster, const std::function<void(const Positions&)>& on_chosen, Log& log,
    const std::stop_token& stop) {
  const auto id = make_view_id();
  const auto object_or_choose = [&](const CheckpointManifest& manifest) {
    auto why_not = objection(manifest, cluster);
    if (why_not.empty()) on_chosen(manifest.positions);
    return why_not;
  };
  const auto restored = checkpoints.restore(checkpoint_shelf(kRowVersion, cluster.cluster_id),
                                            object_or_choose, folder.path_of(id), stop);
  if (!restored) return Failure(restored.error());
  if (!*restored) return std::nullopt;
  auto store = open_store(folder.path_of(id));
  if (!store) return Failure(std::move(store.error()));
  // Another view from here on: the one that it was copied from may go on elsewhere.
  const auto meta = encode_meta({kRowVersion, cluster.cluster_id, id, cluster.partitions});
  if (auto written = (*store)->write(meta); !written) return Failure(std::move(written.error()));
  if (auto set = folder.set_next(id); !set) return Failure(std::move(set.error()));
  log.info("view restored from a checkpoint",
           {{"view_id", id}, {"made_at", to_rfc3339((*restored)->made_at)}});
  return RestoredView{id, std::move(*store)};
}

}  // namespace thumb
