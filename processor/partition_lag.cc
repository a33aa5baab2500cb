#include "processor/partition_lag.h"

#include <algorithm>
#include <utility>

namespace thumb {

PartitionLag::PartitionLag(Metrics& metrics, kafka::Admin& admin, std::string topic,
                           std::chrono::milliseconds interval)
    : metrics_(metrics),
      topic_(std::move(topic)),
      watcher_(
          admin, [this] { return ours(); },
          [this](const kafka::EndWatcher::Ends& ends) { note(ends); }, interval) {}

void PartitionLag::moved(const std::map<std::int32_t, std::int64_t>& next) {
  const std::scoped_lock lock(mutex_);
  if (next == next_) return;
  const auto before = std::exchange(next_, next);
  for (const auto& [partition, offset] : before) show(partition);
  for (const auto& [partition, offset] : next_) show(partition);
}

std::vector<kafka::TopicPartition> PartitionLag::ours() {
  const std::scoped_lock lock(mutex_);
  std::vector<kafka::TopicPartition> partitions;
  for (const auto& [partition, offset] : next_) partitions.push_back({topic_, partition});
  return partitions;
}

void PartitionLag::note(const kafka::EndWatcher::Ends& ends) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [tp, end] : ends) {
    ends_[tp.partition] = end;
    show(tp.partition);
  }
}

void PartitionLag::show(std::int32_t partition) {
  auto& gauge = gauges_[partition];
  if (gauge == nullptr) {
    gauge = &metrics_.gauge("thumb_processor_lag_records",
                            "Offsets between what is committed and the end of the log",
                            {{"partition", std::to_string(partition)}});
  }
  const auto next = next_.find(partition);
  const auto end = ends_.find(partition);
  const bool known = next != next_.end() && end != ends_.end();
  gauge->Set(known ? static_cast<double>(std::max<std::int64_t>(0, end->second - next->second))
                   : 0.0);
}

}  // namespace thumb
