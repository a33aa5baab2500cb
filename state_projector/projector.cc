// Ask the cluster, choose a view, fold until stopped; from the top again if the log no longer holds
// the place that was read from.
#include "state_projector/projector.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "state_projector/view_queries.h"

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;

// A watcher that was away for longer than this many changes looks at everything anew.
constexpr ViewWriterOptions kWriter{.feed_limit = 100'000};

// Why a view can't be gone on with; empty if it can.
std::string mismatch(const ViewMeta& meta, const Positions& positions,
                     const ClusterState& cluster) {
  if (meta.row_version != kRowVersion) {
    return fmt::format("its rows are of version {}, this program's of {}", meta.row_version,
                       kRowVersion);
  }
  if (meta.cluster_id != cluster.cluster_id) {
    return fmt::format("it was folded from cluster {}, this is {}", meta.cluster_id,
                       cluster.cluster_id);
  }
  for (const auto& [partition, position] : positions) {
    const auto marks = cluster.watermarks.find(partition);
    if (marks != cluster.watermarks.end() && position > marks->second.high) {
      return fmt::format("it stands at {} of {}/{}, the log ends at {}", position,
                         role_of(partition.topic).name, partition.partition, marks->second.high);
    }
  }
  return {};
}

// Which partitions still have to reach the end that the log had at the start.
class CatchingUp {
 public:
  explicit CatchingUp(const ClusterState& cluster) {
    for (const auto& [partition, marks] : cluster.watermarks) left_[partition] = marks.high;
  }
  // An end that the reader met counts whatever it was at the start: behind it may only be records
  // of a transaction that is still open.
  void note(const Positions& positions, const Positions& ends) {
    std::erase_if(left_, [&](const auto& wanted) {
      return ends.contains(wanted.first) || position_of(positions, wanted.first) >= wanted.second;
    });
  }
  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  Positions left_;
};

}  // namespace

Projector::Projector(ProjectorOptions options, const TopicNames& names, kafka::Admin& admin,
                     kafka::PartitionReader& reader, OpenStore open_store, Log& log,
                     Metrics& metrics)
    : options_(std::move(options)),
      folder_(options_.view_dir),
      names_(names),
      admin_(admin),
      reader_(reader),
      open_store_(std::move(open_store)),
      log_(log),
      metrics_(metrics, admin, names) {}

Result<void> Projector::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ready_ = false;
    const auto cluster = wait_for_cluster(stop);
    if (stop.stop_requested()) break;
    if (!cluster) return Failure(cluster.error());
    auto view = choose_view(*cluster);
    if (!view) return Failure(std::move(view.error()));
    const auto ended = fold(*view, *cluster, stop);
    if (!ended) return Failure(ended.error());
    if (*ended == Ended::kLostPlace) pause(stop);
  }
  return {};
}

Result<ClusterState> Projector::wait_for_cluster(const std::stop_token& stop) {
  std::string last_code;
  while (true) {
    auto cluster = ask_cluster(admin_, names_, options_.ask_timeout);
    if (cluster || stop.stop_requested()) return cluster;
    const auto& error = cluster.error();
    // Topics may be made a moment after the broker is up.
    if (error.retry == Retry::kNever && error.kind != ErrorKind::kNotFound) return cluster;
    if (error.code != last_code)
      log_.warn("waiting for Kafka",
                {{"code", error.code}, {"error", error.message}, {"detail", error.detail}});
    last_code = error.code;
    pause(stop);
  }
}

Result<Projector::OpenView> Projector::choose_view(const ClusterState& cluster) {
  if (auto tidied = folder_.tidy(); !tidied) return Failure(std::move(tidied.error()));
  const auto serving = folder_.current();
  if (!serving) return Failure(serving.error());
  const auto building = folder_.next();
  if (!building) return Failure(building.error());
  for (const auto& id : {*building, *serving}) {
    if (!id) continue;
    auto view = reopen(*id, cluster);
    if (!view) return Failure(std::move(view.error()));
    if (!*view) continue;
    (*view)->serving = id == *serving;
    return std::move(**view);
  }
  return build_view(cluster);
}

Result<std::optional<Projector::OpenView>> Projector::reopen(const std::string& id,
                                                             const ClusterState& cluster) {
  const auto unusable = [&](const Error& error) -> Result<std::optional<OpenView>> {
    if (error.kind != ErrorKind::kCorrupt) return Failure(error);
    log_.error("view is damaged, a new one is built", error);
    return std::nullopt;
  };
  auto store = open_store_(folder_.path_of(id));
  if (!store) return unusable(store.error());
  const auto meta = read_meta(**store);
  if (!meta) return unusable(meta.error());
  auto writer = ViewWriter::open(**store, names_, kWriter);
  if (!writer) return unusable(writer.error());
  if (const auto why = mismatch(*meta, (*writer)->positions(), cluster); !why.empty()) {
    log_.warn("view is not gone on with, a new one is built", {{"view_id", id}, {"reason", why}});
    return std::nullopt;
  }
  if (meta->partitions != cluster.partitions) {
    return fail(
        ErrorKind::kConflict, "partition-count-changed",
        fmt::format("the topics have {} partitions, the view was folded from {}: Kafka keeps "
                    "no order of an image's events across such a change; use new topics, or "
                    "delete {} to fold what there is",
                    cluster.partitions, meta->partitions, options_.view_dir.string()));
  }
  return OpenView{id, std::move(*store), std::move(*writer), false};
}

Result<Projector::OpenView> Projector::build_view(const ClusterState& cluster) {
  const auto id = make_view_id();
  auto store = open_store_(folder_.path_of(id));
  if (!store) return Failure(std::move(store.error()));
  const auto meta = encode_meta({kRowVersion, cluster.cluster_id, id, cluster.partitions});
  if (auto written = (*store)->write(meta); !written) return Failure(std::move(written.error()));
  if (auto set = folder_.set_next(id); !set) return Failure(std::move(set.error()));
  if (auto tidied = folder_.tidy(); !tidied) return Failure(std::move(tidied.error()));
  auto writer = ViewWriter::open(**store, names_, kWriter);
  if (!writer) return Failure(std::move(writer.error()));
  log_.info("building a new view", {{"view_id", id}, {"cluster_id", cluster.cluster_id}});
  return OpenView{id, std::move(*store), std::move(*writer), false};
}

Result<void> Projector::check_log_start(const ClusterState& cluster, const Positions& positions) {
  for (const auto& [partition, marks] : cluster.watermarks) {
    const auto position = position_of(positions, partition);
    // Hints are kept for days only; all else is kept for ever, or somebody changed a setting.
    if (position >= marks.low || partition.topic == Topic::kThumbnailStarted) continue;
    const auto place = fmt::format("{}/{}", role_of(partition.topic).name, partition.partition);
    if (position > 0) {
      return fail(ErrorKind::kConflict, "log-truncated",
                  fmt::format("{} begins at offset {}, the view stands at {}: records between are "
                              "lost to it; restore the log, or delete {} to fold what is left",
                              place, marks.low, position, options_.view_dir.string()));
    }
    log_.warn("the log has lost its beginning, the view will lack it",
              {{"partition", place}, {"first_offset", marks.low}});
  }
  return {};
}

Result<Projector::Ended> Projector::fold(OpenView& view, const ClusterState& cluster,
                                         const std::stop_token& stop) {
  auto& writer = *view.writer;
  if (auto whole = check_log_start(cluster, writer.positions()); !whole) {
    return Failure(std::move(whole.error()));
  }
  if (auto set = reader_.assign(reading_starts(cluster, writer.positions(), names_)); !set) {
    return Failure(std::move(set.error()));
  }
  CatchingUp catching_up(cluster);
  catching_up.note(writer.positions(), {});
  while (true) {
    if (!ready_ && catching_up.done()) {
      if (auto served = serve(view); !served) return Failure(std::move(served.error()));
    }
    if (stop.stop_requested()) return Ended::kStopped;
    const auto batch = reader_.poll(options_.batch_records, options_.poll_wait);
    if (!batch && batch.error().code == "offset-out-of-range") {
      log_.warn("the log no longer holds the view's position", {{"detail", batch.error().detail}});
      return Ended::kLostPlace;
    }
    if (!batch) return Failure(batch.error());
    if (batch->records.empty() && batch->ends.empty()) continue;
    if (auto folded = fold_batch(view, *batch); !folded) return Failure(std::move(folded.error()));
    catching_up.note(writer.positions(), to_positions(batch->ends, names_));
  }
}

Result<void> Projector::fold_batch(OpenView& view, const kafka::ReadBatch& batch) {
  const auto begun = Steady::now();
  const auto ends = to_positions(batch.ends, names_);
  const auto folded = view.writer->apply(batch.records, ends);
  if (!folded) return Failure(folded.error());
  metrics_.folded(*folded, Steady::now() - begun);
  metrics_.moved(view.writer->positions(), ends);
  if (folded->unreadable > 0) {
    log_.warn("unreadable records skipped; `state_projector status` lists them",
              {{"records", folded->unreadable}});
  }
  return {};
}

Result<void> Projector::serve(OpenView& view) {
  if (!view.serving) {
    if (auto published = folder_.publish(view.id); !published) return published;
    view.serving = true;
    if (auto tidied = folder_.tidy(); !tidied) return tidied;
  }
  ready_ = true;
  log_.info("caught up", {{"view_id", view.id}});
  return {};
}

void Projector::pause(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, options_.retry_pause, [] { return false; });
}

}  // namespace thumb
