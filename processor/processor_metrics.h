// What the processor counts. Built once; the members are thread-safe.
#pragma once

#include <chrono>

#include "platform/metrics.h"
#include "processor/work.h"

namespace thumb {

class ProcessorMetrics {
 public:
  explicit ProcessorMetrics(Metrics& metrics);

  enum class Stage { kWaited, kFetched, kMade, kStored };
  void observe(Stage stage, std::chrono::milliseconds time);
  // When its transaction is committed.
  void count(Ending ending);
  enum class Transaction { kCommitted, kAborted, kFatal };
  void count(Transaction result);

  prometheus::Gauge& in_flight;
  prometheus::Gauge& assigned_partitions;
  prometheus::Gauge& paused_partitions;
  prometheus::Counter& retries;           // of work, for a passing reason
  prometheus::Counter& hints_lost;        // thumbnail-started events that could not be written
  prometheus::Histogram& commit_seconds;  // of one transaction

 private:
  prometheus::Histogram& waited_;
  prometheus::Histogram& fetched_;
  prometheus::Histogram& made_;
  prometheus::Histogram& stored_;
  prometheus::Counter& completed_;
  prometheus::Counter& failed_;
  prometheus::Counter& repeats_;
  prometheus::Counter& deleted_;
  prometheus::Counter& dead_lettered_;
  prometheus::Counter& committed_;
  prometheus::Counter& aborted_;
  prometheus::Counter& fatal_;
};

}  // namespace thumb
