// A signalfd-like wait built on sigtimedwait, so that no code runs in a signal handler.
#include "platform/stop_signal.h"

#include <pthread.h>

#include <csignal>
#include <ctime>
#include <mutex>

namespace thumb {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  watcher_ = std::jthread([this](const std::stop_token& ended) {
    const sigset_t signals = stop_signals();
    // Wakes now and then only to notice the destructor: signals themselves arrive at once.
    const timespec slice{0, 100'000'000};
    while (!ended.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &slice) > 0) request_stop();
    }
  });
}

StopSignal::~StopSignal() = default;

void StopSignal::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    source_.request_stop();
  }
  stopped_.notify_all();
}

void StopSignal::wait() {
  std::unique_lock lock(mutex_);
  stopped_.wait(lock, [this] { return source_.stop_requested(); });
}

}  // namespace thumb
