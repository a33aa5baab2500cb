#include "kafka/end_watcher.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace thumb::kafka {
namespace {

constexpr std::chrono::milliseconds kAskTimeout{2'000};

}  // namespace

EndWatcher::EndWatcher(Admin& admin, std::function<std::vector<TopicPartition>()> partitions,
                       std::function<void(const Ends&)> on_ends, std::chrono::milliseconds interval)
    : admin_(admin),
      partitions_(std::move(partitions)),
      on_ends_(std::move(on_ends)),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void EndWatcher::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  while (true) {
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, interval_, [] { return false; });
    if (stop.stop_requested()) return;
    const Ends ends = ask(stop);
    if (!ends.empty()) on_ends_(ends);
  }
}

EndWatcher::Ends EndWatcher::ask(const std::stop_token& stop) {
  Ends ends;
  for (const auto& tp : partitions_()) {
    if (stop.stop_requested()) break;
    const auto marks = admin_.watermarks(tp, kAskTimeout);
    if (!marks) break;
    ends.emplace(tp, marks->high);
  }
  return ends;
}

}  // namespace thumb::kafka
