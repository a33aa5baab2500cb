#include "processor/processor_metrics.h"

namespace thumb {
namespace {

prometheus::Histogram& stage(Metrics& metrics, const char* name) {
  return metrics.duration_seconds("thumb_processor_stage_seconds",
                                  "Time that a request spent in each stage of its processing",
                                  {{"stage", name}});
}

prometheus::Counter& ending(Metrics& metrics, Ending which) {
  return metrics.counter("thumb_processor_requests_total",
                         "Requests by how they ended, counted when that is committed",
                         {{"outcome", std::string(to_string(which))}});
}

prometheus::Counter& transaction(Metrics& metrics, const char* result) {
  return metrics.counter("thumb_processor_transactions_total", "Transactions by result",
                         {{"result", result}});
}

}  // namespace

ProcessorMetrics::ProcessorMetrics(Metrics& metrics)
    : in_flight(metrics.gauge("thumb_processor_in_flight", "Requests read and not committed yet")),
      assigned_partitions(
          metrics.gauge("thumb_processor_partitions", "Partitions that this processor owns")),
      paused_partitions(metrics.gauge("thumb_processor_paused_partitions",
                                      "Partitions not read on: their work is put off, or much of "
                                      "it is uncommitted")),
      retries(metrics.counter("thumb_processor_retries_total",
                              "Attempts that failed for a passing reason and were put off")),
      hints_lost(metrics.counter("thumb_processor_hints_lost_total",
                                 "thumbnail-started events that could not be written")),
      commit_seconds(metrics.duration_seconds("thumb_processor_commit_seconds",
                                              "Time that a transaction took")),
      waited_(stage(metrics, "waited")),
      fetched_(stage(metrics, "fetched")),
      made_(stage(metrics, "made")),
      stored_(stage(metrics, "stored")),
      completed_(ending(metrics, Ending::kCompleted)),
      failed_(ending(metrics, Ending::kFailed)),
      repeats_(ending(metrics, Ending::kRepeat)),
      deleted_(ending(metrics, Ending::kDeleted)),
      dead_lettered_(ending(metrics, Ending::kDeadLettered)),
      committed_(transaction(metrics, "committed")),
      aborted_(transaction(metrics, "aborted")),
      fatal_(transaction(metrics, "fatal")) {}

void ProcessorMetrics::observe(Stage which, std::chrono::milliseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  switch (which) {
    case Stage::kWaited:
      waited_.Observe(seconds);
      return;
    case Stage::kFetched:
      fetched_.Observe(seconds);
      return;
    case Stage::kMade:
      made_.Observe(seconds);
      return;
    case Stage::kStored:
      stored_.Observe(seconds);
      return;
  }
}

void ProcessorMetrics::count(Ending which) {
  switch (which) {
    case Ending::kCompleted:
      completed_.Increment();
      return;
    case Ending::kFailed:
      failed_.Increment();
      return;
    case Ending::kRepeat:
      repeats_.Increment();
      return;
    case Ending::kDeleted:
      deleted_.Increment();
      return;
    case Ending::kDeadLettered:
      dead_lettered_.Increment();
      return;
  }
}

void ProcessorMetrics::count(Transaction result) {
  switch (result) {
    case Transaction::kCommitted:
      committed_.Increment();
      return;
    case Transaction::kAborted:
      aborted_.Increment();
      return;
    case Transaction::kFatal:
      fatal_.Increment();
      return;
  }
}

}  // namespace thumb
