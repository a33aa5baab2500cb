// What the projector counts and how far behind it is.
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "kafka/end_watcher.h"
#include "platform/metrics.h"
#include "state_projector/view_writer.h"

namespace thumb {

// For the folding thread, but for a watcher of the log's ends on a thread of its own.
class ProjectorMetrics {
 public:
  // All must outlive it.
  ProjectorMetrics(Metrics& metrics, kafka::Admin& admin, const TopicNames& names);

  void folded(const FoldedBatch& batch, std::chrono::duration<double> took);
  // `ends` as known now, often fresher than the last asking.
  void moved(const Positions& positions, const Positions& ends);

 private:
  struct Gauges {
    prometheus::Gauge* position = nullptr;
    prometheus::Gauge* lag = nullptr;
  };

  void show(const ViewPartition& partition);  // REQUIRES: mutex_
  [[nodiscard]] std::vector<kafka::TopicPartition> known_partitions();
  void note(const kafka::EndWatcher::Ends& ends);

  Metrics& metrics_;
  const TopicNames& names_;
  std::map<Topic, prometheus::Counter*> folded_;
  prometheus::Counter& unreadable_;
  prometheus::Histogram& write_seconds_;

  std::mutex mutex_;
  Positions positions_;
  Positions ends_;
  std::map<ViewPartition, Gauges> gauges_;
  kafka::EndWatcher watcher_;  // last: its thread uses all of the above
};

}  // namespace thumb
