#include "state_projector/side_build.h"

#include <condition_variable>
#include <utility>

#include "platform/background.h"
#include "platform/failpoint.h"

namespace thumb {

SideBuild::SideBuild(Begin begin, OpenReader open_reader, kafka::Admin& admin,
                     const TopicNames& names, SideBuildOptions options, BuildProgress& progress)
    : begin_(std::move(begin)),
      open_reader_(std::move(open_reader)),
      admin_(admin),
      names_(names),
      options_(options),
      progress_(progress) {
  progress_.begin({}, {});
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

SideBuild::~SideBuild() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool SideBuild::within(std::int64_t offsets, const Positions& wanted) const {
  const std::lock_guard lock(mutex_);
  return positions_ && offsets_missing(*positions_, wanted) <= offsets;
}

std::optional<Error> SideBuild::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

OpenView SideBuild::take() {
  thread_.request_stop();
  thread_.join();
  return std::move(view_);
}

void SideBuild::run(const std::stop_token& stop) {
  run_in_background();  // whoever asks the serving view comes first
  const auto folded = fold(stop);
  if (folded) return;
  const std::lock_guard lock(mutex_);
  failure_ = folded.error();
}

// Asked anew: since the projector started the log has grown, and retention may have moved its
// beginnings.
Result<ClusterState> SideBuild::wait_for_cluster(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  for (std::unique_lock lock(mutex);;) {
    auto cluster = ask_cluster(admin_, names_, options_.ask_timeout);
    if (cluster || cluster.error().retry == Retry::kNever || stop.stop_requested()) return cluster;
    wake.wait_for(lock, stop, options_.retry_pause, [] { return false; });
  }
}

Result<void> SideBuild::fold(const std::stop_token& stop) {
  const auto cluster = wait_for_cluster(stop);
  if (!cluster) return Failure(cluster.error());
  auto view = begin_(*cluster, stop);
  if (!view) return Failure(std::move(view.error()));
  view_ = std::move(*view);
  progress_.begin(view_.id, view_.writer->positions());
  Positions targets;
  for (const auto& [partition, marks] : cluster->watermarks) targets[partition] = marks.high;
  progress_.aim(targets);

  auto& writer = *view_.writer;
  if (auto whole = require_log_since(*cluster, writer.positions()); !whole) return whole;
  const auto reader = open_reader_();
  if (!reader) return Failure(reader.error());
  const auto starts = reading_starts(*cluster, writer.positions(), names_);
  if (auto assigned = (*reader)->assign(starts); !assigned) return assigned;
  show_positions();
  while (!stop.stop_requested()) {
    const auto batch = (*reader)->poll(options_.batch_records, options_.poll_wait);
    if (!batch) return Failure(batch.error());
    if (batch->records.empty() && batch->ends.empty()) continue;
    const auto folded = writer.apply(batch->records, to_positions(batch->ends, names_));
    if (!folded) return Failure(folded.error());
    progress_.moved(writer.positions(), batch->records.size());
    failpoint("rebuild.after-batch");
    show_positions();
  }
  return {};
}

void SideBuild::show_positions() {
  const std::lock_guard lock(mutex_);
  positions_ = view_.writer->positions();
}

}  // namespace thumb
