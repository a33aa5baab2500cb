#include "kafka/lag_watcher.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "kafka/first_records.h"

namespace thumb::kafka {
namespace {

constexpr std::chrono::milliseconds kAskTimeout{2'000};

}  // namespace

LagWatcher::LagWatcher(Admin& admin, PartitionReader& reader, std::function<Positions()> positions,
                       std::function<void(const Lags&)> on_lags, std::chrono::milliseconds interval)
    : admin_(admin),
      reader_(reader),
      positions_(std::move(positions)),
      on_lags_(std::move(on_lags)),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LagWatcher::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    if (const auto lags = measure(stop)) on_lags_(*lags);
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, interval_, [] { return false; });
  }
}

std::optional<Lags> LagWatcher::measure(const std::stop_token& stop) {
  const auto positions = positions_();
  std::vector<TopicPartition> asked;
  for (const auto& [tp, position] : positions) asked.push_back(tp);
  const auto marks = admin_.watermarks_of(asked, kAskTimeout);
  if (!marks || stop.stop_requested()) return std::nullopt;
  Lags lags;
  std::vector<PartitionOffset> behind;
  for (const auto& [tp, position] : positions) {
    const auto& [low, high] = marks->at(tp);
    // A log that has lost its beginning can't be read from before it.
    if (high > position) behind.push_back({tp, std::max(position, low)});
    lags.emplace(tp, Lag{position, high, std::nullopt});
  }
  const auto since =
      first_records(reader_, behind, std::chrono::steady_clock::now() + kAskTimeout, stop);
  if (!since) return lags;  // how many is known, how long is not
  for (const auto& [tp, time] : *since) lags.at(tp).behind = time;
  return lags;
}

}  // namespace thumb::kafka
