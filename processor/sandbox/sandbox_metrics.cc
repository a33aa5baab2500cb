#include "processor/sandbox/sandbox_metrics.h"

#include "processor/sandbox/confine.h"

namespace thumb {
namespace {

prometheus::Counter& restarts(Metrics& metrics, const char* reason) {
  return metrics.counter("thumb_decoder_worker_restarts_total",
                         "Decoding processes that were replaced, by reason", {{"reason", reason}});
}

prometheus::Gauge& feature(Metrics& metrics, const char* name) {
  return metrics.gauge(
      "thumb_decoder_sandbox",
      "1 if decoding processes are confined by this, 0 if it is not permitted here",
      {{"feature", name}});
}

}  // namespace

SandboxMetrics::SandboxMetrics(Metrics& metrics)
    : workers(
          metrics.gauge("thumb_decoder_workers", "Decoding processes that are ready or at work")),
      zygote_restarts(metrics.counter("thumb_decoder_zygote_restarts_total",
                                      "Times that the process which forks workers was replaced")),
      wait_seconds(metrics.duration_seconds("thumb_decoder_wait_seconds",
                                            "Time that an image waited for a decoding process")),
      crashed_(restarts(metrics, "crashed")),
      timeout_(restarts(metrics, "timeout")),
      memory_(restarts(metrics, "memory")),
      killed_(restarts(metrics, "killed")),
      recycled_(restarts(metrics, "recycled")),
      start_(restarts(metrics, "start")),
      zygote_(restarts(metrics, "zygote")),
      no_new_privileges_(feature(metrics, "no_new_privileges")),
      resource_limits_(feature(metrics, "resource_limits")),
      landlock_(feature(metrics, "landlock")),
      seccomp_(feature(metrics, "seccomp")) {}

void SandboxMetrics::count(Reason reason) {
  switch (reason) {
    case Reason::kCrashed:
      crashed_.Increment();
      return;
    case Reason::kTimeout:
      timeout_.Increment();
      return;
    case Reason::kMemory:
      memory_.Increment();
      return;
    case Reason::kKilled:
      killed_.Increment();
      return;
    case Reason::kRecycled:
      recycled_.Increment();
      return;
    case Reason::kStart:
      start_.Increment();
      return;
    case Reason::kZygote:
      zygote_.Increment();
      return;
  }
}

void SandboxMetrics::show(std::uint32_t confined_by) {
  const auto set = [&](prometheus::Gauge& gauge, std::uint32_t bit) {
    gauge.Set((confined_by & bit) != 0 ? 1 : 0);
  };
  set(no_new_privileges_, kByNoNewPrivileges);
  set(resource_limits_, kByResourceLimits);
  set(landlock_, kByLandlock);
  set(seccomp_, kBySeccomp);
}

}  // namespace thumb
