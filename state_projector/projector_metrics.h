// What the projector counts and how far behind it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "kafka/admin.h"
#include "platform/metrics.h"
#include "state_projector/view_writer.h"

namespace thumb {

// For the folding thread, but for its own thread that asks for the log's ends every few seconds:
// lag measured by the records that arrive would be smallest just when they stop arriving.
class ProjectorMetrics {
 public:
  // All must outlive it.
  ProjectorMetrics(Metrics& metrics, kafka::Admin& admin, const TopicNames& names);
  ~ProjectorMetrics();
  ProjectorMetrics(const ProjectorMetrics&) = delete;
  ProjectorMetrics& operator=(const ProjectorMetrics&) = delete;

  void folded(const FoldedBatch& batch, std::chrono::duration<double> took);
  // `ends` as known now, often fresher than the last asking.
  void moved(const Positions& positions, const Positions& ends);

 private:
  struct Gauges {
    prometheus::Gauge* position = nullptr;
    prometheus::Gauge* lag = nullptr;
  };

  void show(const ViewPartition& partition);  // REQUIRES: mutex_
  void ask_ends(const std::stop_token& stop);

  Metrics& metrics_;
  kafka::Admin& admin_;
  const TopicNames& names_;
  std::map<Topic, prometheus::Counter*> folded_;
  prometheus::Counter& unreadable_;
  prometheus::Histogram& write_seconds_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  Positions positions_;
  Positions ends_;
  std::map<ViewPartition, Gauges> gauges_;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace thumb
