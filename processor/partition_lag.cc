#include "processor/partition_lag.h"

#include <utility>

namespace thumb {

PartitionLag::PartitionLag(Metrics& metrics, kafka::Admin& admin, kafka::PartitionReader& reader,
                           std::string topic, std::chrono::milliseconds interval)
    : metrics_(metrics),
      topic_(std::move(topic)),
      watcher_(
          admin, reader, [this] { return ours(); }, [this](const kafka::Lags& lags) { note(lags); },
          interval) {}

void PartitionLag::moved(const std::map<std::int32_t, std::int64_t>& next) {
  const std::scoped_lock lock(mutex_);
  if (next == next_) return;
  const auto before = std::exchange(next_, next);
  for (const auto& [partition, offset] : before) show(partition);
  for (const auto& [partition, offset] : next_) show(partition);
}

kafka::LagWatcher::Positions PartitionLag::ours() {
  const std::scoped_lock lock(mutex_);
  kafka::LagWatcher::Positions positions;
  for (const auto& [partition, offset] : next_) positions[{topic_, partition}] = offset;
  return positions;
}

void PartitionLag::note(const kafka::Lags& lags) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [tp, lag] : lags) {
    lags_[tp.partition] = lag;
    show(tp.partition);
  }
}

void PartitionLag::show(std::int32_t partition) {
  auto& gauges = gauges_[partition];
  if (gauges.records == nullptr) {
    const MetricLabels labels = {{"partition", std::to_string(partition)}};
    gauges.records =
        &metrics_.gauge("thumb_processor_lag_records",
                        "Offsets between what is committed and the end of the log", labels);
    gauges.seconds = &metrics_.gauge("thumb_processor_lag_seconds",
                                     "Age of the oldest record that is not committed", labels);
  }
  const auto next = next_.find(partition);
  const auto known = lags_.find(partition);
  if (next == next_.end() || known == lags_.end()) {
    gauges.records->Set(0);
    gauges.seconds->Set(0);
    return;
  }
  kafka::Lag lag = known->second;
  lag.position = next->second;
  gauges.records->Set(static_cast<double>(lag.records()));
  gauges.seconds->Set(std::chrono::duration<double>(lag.age(SystemClock().now())).count());
}

}  // namespace thumb
