// What the projector counts and how far behind it is.
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "kafka/lag_watcher.h"
#include "platform/metrics.h"
#include "state_projector/view_writer.h"

namespace thumb {

// For the folding thread, but for a watcher of the lag on a thread of its own.
class ProjectorMetrics {
 public:
  // All must outlive it; `lag_reader` is for this object alone.
  ProjectorMetrics(Metrics& metrics, kafka::Admin& admin, kafka::PartitionReader& lag_reader,
                   const TopicNames& names);

  void folded(const FoldedBatch& batch, std::chrono::duration<double> took);
  // `ends` as known now, often fresher than the last asking.
  void moved(const Positions& positions, const Positions& ends);

 private:
  struct Gauges {
    prometheus::Gauge* position = nullptr;
    prometheus::Gauge* lag = nullptr;
    prometheus::Gauge* lag_seconds = nullptr;
  };

  void show(const ViewPartition& partition);  // REQUIRES: mutex_
  [[nodiscard]] kafka::LagWatcher::Positions known_positions();
  void note(const kafka::Lags& lags);

  Metrics& metrics_;
  const TopicNames& names_;
  std::map<Topic, prometheus::Counter*> folded_;
  prometheus::Counter& unreadable_;
  prometheus::Histogram& write_seconds_;

  std::mutex mutex_;
  Positions positions_;
  std::map<ViewPartition, kafka::Lag> lags_;
  std::map<ViewPartition, Gauges> gauges_;
  kafka::LagWatcher watcher_;  // last: its thread uses all of the above
};

}  // namespace thumb
