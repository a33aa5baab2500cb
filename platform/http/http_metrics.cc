#include "platform/http/http_metrics.h"

#include "platform/http/response_head.h"

namespace thumb::http {

HttpMetrics::HttpMetrics(Metrics& metrics)
    : metrics_(metrics),
      connections_(metrics.gauge("thumb_http_connections", "Open HTTP connections.")),
      inflight_body_bytes_(metrics.gauge("thumb_http_inflight_body_bytes",
                                         "Bytes reserved for request bodies being received.")),
      streams_(metrics.gauge("thumb_http_streams", "Answers without an end being sent.")),
      streams_dropped_(metrics.counter("thumb_http_streams_dropped_total",
                                       "Streams cut off since the client took nothing.")),
      duration_(metrics.duration_seconds("thumb_http_request_duration_seconds",
                                         "From a request's complete head to its answer's end.")) {}

prometheus::Counter& HttpMetrics::requests(std::string_view method, int status) {
  return metrics_.counter("thumb_http_requests_total", "HTTP requests answered.",
                          {{"method", std::string(method)}, {"status", std::to_string(status)}});
}

void RequestCounters::count(std::optional<Method> method, int status,
                            std::chrono::steady_clock::duration took) {
  const std::size_t row = method ? static_cast<std::size_t>(*method) : kMethods - 1;
  prometheus::Counter*& counter = known_[row][static_cast<std::size_t>(status)];
  if (counter == nullptr) {
    counter = &metrics_.requests(method ? method_name(*method) : "invalid", status);
  }
  counter->Increment();
  metrics_.duration().Observe(std::chrono::duration<double>(took).count());
}

}  // namespace thumb::http
