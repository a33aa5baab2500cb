// The building of a view as operators watch it on a dashboard.
#pragma once

#include "platform/metrics.h"
#include "state_projector/build_progress.h"

namespace thumb {

// Thread-safe. `metrics` must outlive it.
class BuildMetrics {
 public:
  explicit BuildMetrics(Metrics& metrics);
  void show(const BuildReport& report);

 private:
  prometheus::Gauge& in_progress_;
  prometheus::Gauge& done_;
  prometheus::Gauge& target_;
  prometheus::Gauge& rate_;
  prometheus::Gauge& left_seconds_;
};

}  // namespace thumb
