// What the sandbox counts. Built once; the members are thread-safe.
#pragma once

#include <cstdint>

#include "platform/metrics.h"

namespace thumb {

class SandboxMetrics {
 public:
  explicit SandboxMetrics(Metrics& metrics);

  // Why a worker was replaced.
  enum class Reason { kCrashed, kTimeout, kMemory, kKilled, kRecycled, kStart, kZygote };
  void count(Reason reason);
  // The ConfinedBy bits that hold in a worker.
  void show(std::uint32_t confined_by);

  prometheus::Gauge& workers;            // ready or at work
  prometheus::Counter& zygote_restarts;  // but for the first start
  prometheus::Histogram& wait_seconds;   // for a free worker

 private:
  prometheus::Counter& crashed_;
  prometheus::Counter& timeout_;
  prometheus::Counter& memory_;
  prometheus::Counter& killed_;
  prometheus::Counter& recycled_;
  prometheus::Counter& start_;
  prometheus::Counter& zygote_;
  prometheus::Gauge& no_new_privileges_;
  prometheus::Gauge& resource_limits_;
  prometheus::Gauge& landlock_;
  prometheus::Gauge& seccomp_;
};

}  // namespace thumb
