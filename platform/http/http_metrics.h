// What the HTTP server counts.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "platform/http/message.h"
#include "platform/metrics.h"

namespace thumb::http {

// thumb_http_requests_total{method,status}, thumb_http_request_duration_seconds,
// thumb_http_connections, thumb_http_inflight_body_bytes, thumb_http_streams,
// thumb_http_streams_dropped_total.
// One per server for the gauges; the reactors count through a RequestCounters of their own.
class HttpMetrics {
 public:
  explicit HttpMetrics(Metrics& metrics);

  [[nodiscard]] prometheus::Gauge& connections() { return connections_; }
  [[nodiscard]] prometheus::Gauge& inflight_body_bytes() { return inflight_body_bytes_; }
  [[nodiscard]] prometheus::Gauge& streams() { return streams_; }
  [[nodiscard]] prometheus::Counter& streams_dropped() { return streams_dropped_; }
  [[nodiscard]] prometheus::Histogram& duration() { return duration_; }
  [[nodiscard]] prometheus::Counter& requests(std::string_view method, int status);

 private:
  Metrics& metrics_;
  prometheus::Gauge& connections_;
  prometheus::Gauge& inflight_body_bytes_;
  prometheus::Gauge& streams_;
  prometheus::Counter& streams_dropped_;
  prometheus::Histogram& duration_;
};

// Remembers the counters it has asked for, since looking one up by its labels costs a lock and a
// search. One per reactor thread; not thread-safe.
class RequestCounters {
 public:
  explicit RequestCounters(HttpMetrics& metrics) : metrics_(metrics) {}

  // `method` is empty where the request could not be read. The duration runs from the complete
  // head to the last byte handed to the kernel; of a stream to its opening.
  void count(std::optional<Method> method, int status, std::chrono::steady_clock::duration took);

 private:
  static constexpr std::size_t kMethods = 8;  // ours and "invalid"
  static constexpr std::size_t kStatuses = 600;

  HttpMetrics& metrics_;
  std::array<std::array<prometheus::Counter*, kStatuses>, kMethods> known_{};
};

}  // namespace thumb::http
