// How far behind the end of its log each partition of ours is, as metrics.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "kafka/lag_watcher.h"
#include "platform/metrics.h"

namespace thumb {

class PartitionLag {
 public:
  // `topic` is the full name of image-requests. REQUIRES: the references outlive it.
  // `reader` is for this object alone.
  PartitionLag(Metrics& metrics, kafka::Admin& admin, kafka::PartitionReader& reader,
               std::string topic, std::chrono::milliseconds interval = std::chrono::seconds(5));

  // What the group has committed of each partition that is ours; all others are nobody's here, and
  // shown as 0. For one thread.
  void moved(const std::map<std::int32_t, std::int64_t>& next);

 private:
  struct Gauges {
    prometheus::Gauge* records = nullptr;
    prometheus::Gauge* seconds = nullptr;
  };

  [[nodiscard]] kafka::LagWatcher::Positions ours();
  void note(const kafka::Lags& lags);
  void show(std::int32_t partition);  // REQUIRES: mutex_

  Metrics& metrics_;
  const std::string topic_;
  std::mutex mutex_;
  std::map<std::int32_t, std::int64_t> next_;
  std::map<std::int32_t, kafka::Lag> lags_;
  std::map<std::int32_t, Gauges> gauges_;
  kafka::LagWatcher watcher_;  // last: its thread uses all of the above
};

}  // namespace thumb
