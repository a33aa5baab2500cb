#include "platform/on_threads.h"

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace thumb {

Result<void> on_threads(
    std::size_t count, const std::stop_token& stop,
    const std::function<Result<void>(std::size_t, const std::stop_token&)>& work) {
  std::stop_source all;
  const std::stop_callback pass_on(stop, [&all] { all.request_stop(); });
  std::mutex mutex;
  Result<void> outcome;
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < count; ++number) {
      threads.emplace_back([&, number] {
        auto done = work(number, all.get_token());
        if (done) return;
        const std::lock_guard lock(mutex);
        if (outcome) outcome = std::move(done);
        all.request_stop();
      });
    }
  }
  return outcome;
}

Failure told_to_stop() {
  return fail_transient(ErrorKind::kUnavailable, "stopped", "told to stop");
}

}  // namespace thumb
