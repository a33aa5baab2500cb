// Gauges are made when their partition is first seen.
#include "state_projector/projector_metrics.h"

#include <algorithm>
#include <string>

namespace thumb {
ProjectorMetrics::ProjectorMetrics(Metrics& metrics, kafka::Admin& admin, const TopicNames& names)
    : metrics_(metrics),
      names_(names),
      unreadable_(metrics.counter("thumb_view_unreadable_records_total",
                                  "Records that could not be decoded and were skipped")),
      write_seconds_(metrics.duration_seconds("thumb_view_write_seconds",
                                              "Folding and writing one batch of records")),
      watcher_(
          admin, [this] { return known_partitions(); },
          [this](const kafka::EndWatcher::Ends& ends) { note(ends); }) {
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

std::vector<kafka::TopicPartition> ProjectorMetrics::known_partitions() {
  const std::lock_guard lock(mutex_);
  std::vector<kafka::TopicPartition> partitions;
  for (const auto& [partition, position] : positions_) {
    partitions.push_back({names_.of(partition.topic), partition.partition});
  }
  return partitions;
}

void ProjectorMetrics::note(const kafka::EndWatcher::Ends& ends) {
  const std::lock_guard lock(mutex_);
  for (const auto& [tp, end] : ends) {
    const auto topic = names_.find(tp.topic);
    if (!topic) continue;
    const ViewPartition partition{*topic, tp.partition};
    ends_[partition] = end;
    show(partition);
  }
}

}  // namespace thumb
