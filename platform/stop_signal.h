// SIGTERM and SIGINT as something to wait for. Signals are process-wide: a fenced global.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace thumb {

// Blocks both signals in the calling thread and all threads made later, and turns the first one
// into a stop request. REQUIRES: made once, in main, before any thread. SIGPIPE is ignored.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  // Blocks until a signal (or request_stop).
  void wait();
  // From any thread: something failed, end in order.
  void request_stop();

 private:
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::stop_source source_;
  std::jthread watcher_;
};

}  // namespace thumb
