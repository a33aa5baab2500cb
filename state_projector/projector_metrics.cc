// Gauges are made when their partition is first seen.
#include "state_projector/projector_metrics.h"

#include <algorithm>
#include <string>

namespace thumb {
namespace {

constexpr std::chrono::seconds kAskInterval{5};
constexpr std::chrono::milliseconds kAskTimeout{2'000};

}  // namespace

ProjectorMetrics::ProjectorMetrics(Metrics& metrics, kafka::Admin& admin, const TopicNames& names)
    : metrics_(metrics),
      admin_(admin),
      names_(names),
      unreadable_(metrics.counter("thumb_view_unreadable_records_total",
                                  "Records that could not be decoded and were skipped")),
      write_seconds_(metrics.duration_seconds("thumb_view_write_seconds",
                                              "Folding and writing one batch of records")) {
  for (const auto topic : kProjectedTopics) {
    folded_[topic] =
        &metrics.counter("thumb_view_folded_records_total", "Records folded into the view",
                         {{"topic", std::string(role_of(topic).name)}});
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { ask_ends(stop); });
}

ProjectorMetrics::~ProjectorMetrics() {
  thread_.request_stop();
  thread_.join();
}

void ProjectorMetrics::folded(const FoldedBatch& batch, std::chrono::duration<double> took) {
  for (const auto& [topic, count] : batch.folded) {
    folded_.at(topic)->Increment(static_cast<double>(count));
  }
  unreadable_.Increment(static_cast<double>(batch.unreadable));
  write_seconds_.Observe(took.count());
}

void ProjectorMetrics::moved(const Positions& positions, const Positions& ends) {
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, end] : ends) ends_[partition] = end;
  for (const auto& [partition, position] : positions) {
    const auto known = positions_.find(partition);
    if (known != positions_.end() && known->second == position && !ends.contains(partition))
      continue;
    positions_[partition] = position;
    show(partition);
  }
}

void ProjectorMetrics::show(const ViewPartition& partition) {
  auto& gauges = gauges_[partition];
  if (gauges.position == nullptr) {
    const MetricLabels labels = {{"topic", std::string(role_of(partition.topic).name)},
                                 {"partition", std::to_string(partition.partition)}};
    gauges.position = &metrics_.gauge("thumb_view_position", "Next offset to fold", labels);
    gauges.lag =
        &metrics_.gauge("thumb_view_lag_records",
                        "Offsets between the view's position and the end of the log", labels);
  }
  const auto position = position_of(positions_, partition);
  gauges.position->Set(static_cast<double>(position));
  gauges.lag->Set(
      static_cast<double>(std::max<std::int64_t>(0, position_of(ends_, partition) - position)));
}

void ProjectorMetrics::ask_ends(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, kAskInterval, [] { return false; });
    const auto positions = positions_;
    lock.unlock();
    Positions ends;
    for (const auto& [partition, position] : positions) {
      if (stop.stop_requested()) break;
      const auto marks =
          admin_.watermarks({names_.of(partition.topic), partition.partition}, kAskTimeout);
      if (!marks) break;  // the broker is away: the last known ends stand
      ends[partition] = marks->high;
    }
    lock.lock();
    for (const auto& [partition, end] : ends) {
      ends_[partition] = end;
      show(partition);
    }
  }
}

}  // namespace thumb
