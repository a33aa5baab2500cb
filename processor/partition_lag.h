// How far behind the end of its log each partition of ours is, as metrics.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "kafka/end_watcher.h"
#include "platform/metrics.h"

namespace thumb {

class PartitionLag {
 public:
  // `topic` is the full name of image-requests. REQUIRES: both references outlive it.
  PartitionLag(Metrics& metrics, kafka::Admin& admin, std::string topic,
               std::chrono::milliseconds interval = std::chrono::seconds(5));

  // What the group has committed of each partition that is ours; all others are nobody's here, and
  // shown as 0. For one thread.
  void moved(const std::map<std::int32_t, std::int64_t>& next);

 private:
  [[nodiscard]] std::vector<kafka::TopicPartition> ours();
  void note(const kafka::EndWatcher::Ends& ends);
  void show(std::int32_t partition);  // REQUIRES: mutex_

  Metrics& metrics_;
  const std::string topic_;
  std::mutex mutex_;
  std::map<std::int32_t, std::int64_t> next_;
  std::map<std::int32_t, std::int64_t> ends_;
  std::map<std::int32_t, prometheus::Gauge*> gauges_;
  kafka::EndWatcher watcher_;  // last: its thread uses all of the above
};

}  // namespace thumb
