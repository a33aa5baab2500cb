// Whether this instance can do its work: is the view readable, was Kafka heard of lately.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "platform/http/message.h"
#include "platform/result.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

struct HealthOptions {
  std::chrono::milliseconds interval{2'000};      // between two questions to Kafka
  std::chrono::milliseconds log_silence{10'000};  // without an answer for longer: not ready
};

// Asks Kafka now and then from a thread of its own, so that a probe answers at once. Thread-safe.
class Health {
 public:
  // `ask_log` may block for some seconds. REQUIRES: it and `view` outlive this object.
  Health(std::function<Result<void>()> ask_log, ViewReader& view, const HealthOptions& options);
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // application/health+json: 200 "pass", or 503 "fail" with the check that failed.
  [[nodiscard]] http::Response readiness();

 private:
  void ask_loop(const std::stop_token& stop);
  [[nodiscard]] bool log_heard() const;

  const std::function<Result<void>()> ask_log_;
  ViewReader& view_;
  const HealthOptions options_;
  std::atomic<std::chrono::steady_clock::time_point> heard_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the above
};

}  // namespace thumb::ingest
