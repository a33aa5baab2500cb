// Prometheus metrics of one process. Components take what they count from here once, in their
// constructor, and keep the reference: metrics live as long as the registry.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <map>
#include <memory>
#include <string>

namespace thumb {

using MetricLabels = std::map<std::string, std::string>;

// Thread-safe. Asking twice for the same name and labels gives the same metric.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Counters end in _total, durations are in seconds, sizes in bytes (Prometheus naming).
  [[nodiscard]] prometheus::Counter& counter(const std::string& name, const std::string& help,
                                             const MetricLabels& labels = {});
  [[nodiscard]] prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                                         const MetricLabels& labels = {});
  // Buckets from 0.5 ms to 30 s.
  [[nodiscard]] prometheus::Histogram& duration_seconds(const std::string& name,
                                                        const std::string& help,
                                                        const MetricLabels& labels = {});
  // The text exposition format 0.0.4.
  [[nodiscard]] std::string expose() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thumb
