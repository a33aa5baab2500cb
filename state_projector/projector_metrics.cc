// Gauges are made when their partition is first seen.
#include "state_projector/projector_metrics.h"

#include <string>

namespace thumb {

ProjectorMetrics::ProjectorMetrics(Metrics& metrics, kafka::Admin& admin,
                                   kafka::PartitionReader& lag_reader, const TopicNames& names)
    : metrics_(metrics),
      names_(names),
      unreadable_(metrics.counter("thumb_view_unreadable_records_total",
                                  "Records that could not be decoded and were skipped")),
      write_seconds_(metrics.duration_seconds("thumb_view_write_seconds",
                                              "Folding and writing one batch of records")),
      watcher_(
          admin, lag_reader, [this] { return known_positions(); },
          [this](const kafka::Lags& lags) { note(lags); }) {
  for (const auto topic : kProjectedTopics) {
    folded_[topic] =
        &metrics.counter("thumb_view_folded_records_total", "Records folded into the view",
                         {{"topic", std::string(role_of(topic).name)}});
  }
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
  for (const auto& [partition, end] : ends) lags_[partition].end = end;
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
    gauges.lag_seconds = &metrics_.gauge("thumb_view_lag_seconds",
                                         "Age of the first record that the view lacks", labels);
  }
  const auto position = position_of(positions_, partition);
  gauges.position->Set(static_cast<double>(position));
  kafka::Lag& lag = lags_[partition];
  lag.position = position;
  gauges.lag->Set(static_cast<double>(lag.records()));
  gauges.lag_seconds->Set(std::chrono::duration<double>(lag.age(SystemClock().now())).count());
}

kafka::LagWatcher::Positions ProjectorMetrics::known_positions() {
  const std::lock_guard lock(mutex_);
  kafka::LagWatcher::Positions positions;
  for (const auto& [partition, position] : positions_) {
    positions[{names_.of(partition.topic), partition.partition}] = position;
  }
  return positions;
}

void ProjectorMetrics::note(const kafka::Lags& lags) {
  const std::lock_guard lock(mutex_);
  for (const auto& [tp, lag] : lags) {
    const auto topic = names_.find(tp.topic);
    if (!topic) continue;
    const ViewPartition partition{*topic, tp.partition};
    lags_[partition] = lag;
    show(partition);
  }
}

}  // namespace thumb
