// Ask the cluster, choose a view, fold until stopped; from the top again if the log no longer holds
// the place that was read from, and on with the other view when one has been built beside.
#include "state_projector/projector.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "platform/failpoint.h"
#include "platform/on_threads.h"

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;

// Which partitions still have to reach their goal.
class CatchingUp {
 public:
  explicit CatchingUp(Positions goal) : left_(std::move(goal)) {}
  // An end that the reader met counts whatever the goal: behind it may only be records of a
  // transaction that is still open.
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

Projector::Projector(ProjectorOptions options, ProjectorPorts ports)
    : options_(std::move(options)),
      ports_(std::move(ports)),
      folder_(options_.view_dir),
      opener_(folder_, ports_.names, ports_.open_store, ports_.log),
      log_(ports_.log),
      sweeper_(folder_, log_),
      metrics_(ports_.metrics, ports_.admin, ports_.lag_reader, ports_.names),
      build_metrics_(ports_.metrics),
      progress_([this](const BuildReport& report) { build_metrics_.show(report); }),
      checkpointer_(ports_.checkpoints, folder_, options_.checkpoints, log_, ports_.metrics) {}

Result<void> Projector::run(const std::stop_token& stop) {
  auto ended = keep_folding(stop);
  checkpointer_.stop();
  wishes_.close();
  return ended;
}

Result<void> Projector::keep_folding(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ready_ = false;
    const auto cluster = wait_for_cluster(stop);
    if (stop.stop_requested()) break;
    if (!cluster) return Failure(cluster.error());
    auto folding = choose_view(*cluster, stop);
    if (!folding && folding.error().code == "stopped") break;
    if (!folding) return Failure(std::move(folding.error()));
    auto ended = fold(*folding, *cluster, stop);
    while (ended && *ended == Ended::kTakenOver) {
      const auto goal = folding->view.writer->positions();
      *folding = Folding{beside_->take(), goal, false};
      beside_.reset();
      ended = fold(*folding, *cluster, stop);
    }
    beside_.reset();
    if (!ended) return Failure(ended.error());
    if (*ended == Ended::kLostPlace) pause(stop);
  }
  return {};
}

Result<ClusterState> Projector::wait_for_cluster(const std::stop_token& stop) {
  std::string last_code;
  while (true) {
    wishes_.refuse();
    auto cluster = ask_cluster(ports_.admin, ports_.names, options_.ask_timeout);
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

Result<Projector::Folding> Projector::choose_view(const ClusterState& cluster,
                                                  const std::stop_token& stop) {
  if (auto tidied = sweeper_.tidy(); !tidied) return Failure(std::move(tidied.error()));
  const auto current = folder_.current();
  if (!current) return Failure(current.error());
  const auto next = folder_.next();
  if (!next) return Failure(next.error());
  for (const auto& id : {*current, *next}) {
    if (!id) continue;
    auto view = opener_.reopen(*id, cluster);
    if (!view) return Failure(std::move(view.error()));
    if (*view) return Folding{std::move(**view), ends_of(cluster), id == *current};
  }
  auto view = begin_view(cluster, stop);
  if (!view) return Failure(std::move(view.error()));
  return Folding{std::move(*view), ends_of(cluster), false};
}

Result<OpenView> Projector::begin_view(const ClusterState& cluster, const std::stop_token& stop) {
  const auto fetch_ahead = [&](const Positions& positions) {
    // fold() asks for the same again, and hears of what is wrong with it.
    (void)ports_.reader.assign(reading_starts(cluster, positions, ports_.names));
  };
  auto view = restored(cluster, fetch_ahead, stop);
  if (view) return view;
  // An empty view, begun now, would be gone on with at the next start instead of the checkpoint.
  if (stop.stop_requested()) return told_to_stop();
  if (view.error().code != "no-checkpoint") {
    log_.error("no view can be restored from a checkpoint now", view.error());
  }
  return new_view(cluster);
}

Result<Projector::Ended> Projector::fold(Folding& folding, const ClusterState& cluster,
                                         const std::stop_token& stop) {
  const auto& writer = folding.view.writer;  // another one once it serves
  if (auto whole = check_log_start(cluster, writer->positions(), log_); !whole) {
    return Failure(std::move(whole.error()));
  }
  if (!folding.serving && !ready_) {
    progress_.begin(folding.view.id, writer->positions());
    progress_.aim(folding.goal);
    take_in_at_once(folding.view, cluster, options_.at_once, stop,
                    [this](const Positions& positions, std::size_t records) {
                      progress_.moved(positions, records);
                      wishes_.refuse();
                    });
    if (stop.stop_requested()) return Ended::kStopped;
  }
  const auto starts = reading_starts(cluster, writer->positions(), ports_.names);
  if (auto set = ports_.reader.assign(starts); !set) return Failure(std::move(set.error()));
  CatchingUp catching_up(folding.goal);
  catching_up.note(writer->positions(), {});
  for (bool caught_up = false;;) {
    if (!caught_up && catching_up.done()) {
      if (auto served = serve(folding); !served) return Failure(std::move(served.error()));
      caught_up = true;
    }
    if (stop.stop_requested()) return Ended::kStopped;
    if (caught_up && attend(folding)) return Ended::kTakenOver;
    if (!ready_) wishes_.refuse();
    const auto batch = ports_.reader.poll(options_.batch_records, options_.poll_wait);
    if (!batch && batch.error().code == "offset-out-of-range") {
      log_.warn("the log no longer holds the view's position", {{"detail", batch.error().detail}});
      return Ended::kLostPlace;
    }
    if (!batch) return Failure(batch.error());
    if (batch->records.empty() && batch->ends.empty()) continue;
    if (auto folded = fold_batch(folding, *batch); !folded) return Failure(folded.error());
    catching_up.note(writer->positions(), to_positions(batch->ends, ports_.names));
  }
}

void Projector::take_in_at_once(OpenView& view, const ClusterState& cluster,
                                const BulkStartOptions& how, const std::stop_token& stop,
                                const TellBuilt& tell) const {
  const auto started = start_at_once(view, {cluster, ports_.names, ports_.open_reader},
                                     folder_.root(), how, stop, tell);
  // Nothing is in the view: record by record it meets, and names, what is wrong.
  if (!started && !stop.stop_requested()) {
    log_.warn("the view can't be built at once", {{"error", started.error().message}});
  }
}

Result<void> Projector::fold_batch(Folding& folding, const kafka::ReadBatch& batch) {
  const auto begun = Steady::now();
  const auto ends = to_positions(batch.ends, ports_.names);
  const auto folded = folding.view.writer->apply(batch.records, ends);
  if (!folded) return Failure(folded.error());
  metrics_.folded(*folded, Steady::now() - begun);
  metrics_.moved(folding.view.writer->positions(), ends);
  if (!folding.serving) {
    progress_.moved(folding.view.writer->positions(), batch.records.size());
  }
  if (folded->unreadable > 0) {
    log_.warn("unreadable records skipped; `state_projector status` lists them",
              {{"records", folded->unreadable}});
  }
  return {};
}

Result<void> Projector::serve(Folding& folding) {
  if (auto begun = opener_.begin_feed(folding.view); !begun) return begun;
  if (!folding.serving) {
    failpoint("rebuild.before-publish");
    if (auto published = folder_.publish(folding.view.id); !published) return published;
    failpoint("rebuild.after-publish");
    folding.serving = true;
    if (auto tidied = sweeper_.tidy(); !tidied) return tidied;
    progress_.serves();
  }
  ready_ = true;
  log_.info("caught up", {{"view_id", folding.view.id}});
  return go_on_building();
}

bool Projector::attend(const Folding& folding) {
  if (auto pending = wishes_.take()) {
    if (pending->wish == Wish::kCheckpoint) {
      checkpointer_.begin(folding.view, std::move(pending->answer));
    } else {
      pending->answer(grant(pending->wish));
    }
  }
  checkpointer_.look(folding.view);
  look_after_build();
  return beside_ && beside_->within(options_.take_over_within, folding.view.writer->positions());
}

void Projector::pause(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, options_.retry_pause, [] { return false; });
}

}  // namespace thumb
