// What a projector builds beside the view that serves, at an operator's wish or because it was
// begun before: the same fold on a thread of its own (side_build), taken over once it is there.
#include <utility>

#include "state_projector/projector.h"

namespace thumb {

Result<void> Projector::grant(Wish wish) {
  if (beside_) {
    return fail(ErrorKind::kConflict, "build-in-progress",
                "view " + progress_.report().view_id + " is being built (" +
                    progress_.report().task + "); ask again when it serves");
  }
  switch (wish) {
    case Wish::kRebuild:
      if (auto wanted = folder_.want(ViewFolder::Wanted::kRebuild); !wanted) return wanted;
      rebuild();
      return {};
    case Wish::kRollBack:
      return roll_back();
    case Wish::kDiscard:
      return discard();
    case Wish::kRebuildFromCheckpoint:
      return rebuild_from_checkpoint();
    case Wish::kCheckpoint:
      break;
  }
  return fail(ErrorKind::kInternal, "not-here", "checkpoints are asked for elsewhere");
}

void Projector::rebuild() {
  BulkStartOptions how = options_.at_once;
  how.bulk.threads = 1;  // a second one takes a CPU that reads would wake up on
  build_beside("rebuild", [this, how](const ClusterState& cluster, const std::stop_token& stop) {
    auto view = half_built_or_new(cluster);
    if (!view) return view;
    progress_.begin(view->id, view->writer->positions());
    progress_.aim(ends_of(cluster));
    take_in_at_once(*view, cluster, how, stop,
                    [this](const Positions& positions, std::size_t records) {
                      progress_.moved(positions, records);
                    });
    return view;
  });
}

// What the last process was at when it ended.
Result<void> Projector::go_on_building() {
  const auto half_built = folder_.next();
  if (!half_built) return Failure(half_built.error());
  const auto wanted = folder_.wanted();
  if (!wanted) return Failure(wanted.error());
  if (!*half_built && *wanted == ViewFolder::Wanted::kRestore) {
    log_.info("a restore from a checkpoint was cut short and begins again");
    return rebuild_from_checkpoint();
  }
  if (*half_built || *wanted == ViewFolder::Wanted::kRebuild) rebuild();
  return {};
}

Result<OpenView> Projector::half_built_or_new(const ClusterState& cluster) {
  const auto half_built = folder_.next();
  if (!half_built) return Failure(half_built.error());
  if (*half_built) {
    auto view = opener_.reopen(**half_built, cluster);
    if (!view) return Failure(std::move(view.error()));
    if (*view) {
      if (auto whole = require_log_since(cluster, (*view)->writer->positions()); !whole) {
        return Failure(std::move(whole.error()));
      }
      log_.info("going on with a half-built view", {{"view_id", **half_built}});
      return std::move(**view);
    }
  }
  if (auto whole = require_log_since(cluster, {}); !whole) return Failure(std::move(whole.error()));
  return new_view(cluster);
}

Result<OpenView> Projector::new_view(const ClusterState& cluster) {
  auto view = opener_.make(cluster);
  if (!view) return view;
  // What was built before, and can't be gone on with, no file names any more.
  if (auto tidied = sweeper_.tidy(); !tidied) return Failure(std::move(tidied.error()));
  return view;
}

Result<void> Projector::rebuild_from_checkpoint() {
  if (auto forgotten = folder_.forget_next(); !forgotten) return forgotten;
  if (auto tidied = sweeper_.tidy(); !tidied) return tidied;
  // Files are copied for a while before there is a view to go on with at the next start.
  if (auto wanted = folder_.want(ViewFolder::Wanted::kRestore); !wanted) return wanted;
  build_beside("restore", [this](const ClusterState& cluster, const std::stop_token& stop) {
    return restored(
        cluster, [](const Positions&) {}, stop);
  });
  return {};
}

Result<OpenView> Projector::restored(const ClusterState& cluster,
                                     const std::function<void(const Positions&)>& on_chosen,
                                     const std::stop_token& stop) const {
  auto found = restore_as_next(ports_.checkpoints, folder_, ports_.open_store, cluster, on_chosen,
                               log_, stop);
  if (!found) return Failure(std::move(found.error()));
  if (!*found) return fail(ErrorKind::kNotFound, "no-checkpoint", "there is no good checkpoint");
  auto view = opener_.go_on((*found)->id, std::move((*found)->store), cluster);
  if (!view) return Failure(std::move(view.error()));
  if (!*view) return fail(ErrorKind::kCorrupt, "no-checkpoint", "the checkpoint can't be used");
  return std::move(**view);
}

Result<void> Projector::roll_back() {
  const auto previous = folder_.previous();
  if (!previous) return Failure(previous.error());
  if (!*previous) {
    return fail(ErrorKind::kConflict, "nothing-to-go-back-to", "no previous view is kept");
  }
  log_.info("going back to the previous view", {{"view_id", **previous}});
  const auto begin = [this, id = **previous](const ClusterState& cluster,
                                             const std::stop_token&) -> Result<OpenView> {
    auto view = opener_.reopen(id, cluster);
    if (!view) return Failure(std::move(view.error()));
    if (!*view) {
      return fail(ErrorKind::kConflict, "nothing-to-go-back-to",
                  "the previous view can't be gone on with; the projector's log says why");
    }
    if (auto set = folder_.set_next(id); !set) return Failure(std::move(set.error()));
    return std::move(**view);
  };
  build_beside("rollback", begin);
  return {};
}

Result<void> Projector::discard() {
  if (auto forgotten = folder_.forget_previous(); !forgotten) return forgotten;
  if (auto forgotten = folder_.forget_next(); !forgotten) return forgotten;
  return sweeper_.tidy();
}

void Projector::build_beside(const std::string& task, SideBuild::Begin begin) {
  progress_.asked(task);
  beside_ =
      std::make_unique<SideBuild>(std::move(begin), ports_.open_reader, ports_.admin, ports_.names,
                                  SideBuildOptions{options_.batch_records, options_.poll_wait,
                                                   options_.ask_timeout, options_.retry_pause},
                                  progress_);
}

void Projector::look_after_build() {
  if (!beside_) return;
  const auto failure = beside_->failure();
  if (!failure) return;
  log_.error("the build beside the serving view has failed", *failure);
  progress_.failed(failure->code + ": " + failure->message);
  beside_.reset();
  // If it failed before there was a view, it would again at each start.
  if (auto forgotten = folder_.want(ViewFolder::Wanted::kNothing); !forgotten) {
    log_.warn("the build will be tried again at the next start",
              {{"error", forgotten.error().message}});
  }
}

}  // namespace thumb
