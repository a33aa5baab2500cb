#include "state_projector/view_sweeper.h"

#include "platform/background.h"

namespace thumb {

ViewSweeper::ViewSweeper(const ViewFolder& folder, Log& log, ViewSweepOptions options)
    : folder_(folder),
      log_(log),
      options_(options),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Result<void> ViewSweeper::tidy() {
  auto aside = folder_.put_aside();
  {
    const std::lock_guard lock(mutex_);
    untidy_ = true;
  }
  wake_.notify_one();
  return aside;
}

void ViewSweeper::run(const std::stop_token& stop) {
  run_in_background();
  for (std::unique_lock lock(mutex_); wake_.wait(lock, stop, [this] { return untidy_; });) {
    untidy_ = false;
    lock.unlock();
    sweep(stop);
    lock.lock();
  }
}

void ViewSweeper::sweep(const std::stop_token& stop) {
  std::mutex alone;
  std::condition_variable_any never;
  const auto pause = [&] {
    std::unique_lock lock(alone);
    never.wait_for(lock, stop, options_.pause, [] { return false; });
    return !stop.stop_requested();
  };
  // It is tried again after the next tidy(): until then nothing but space is lost.
  if (auto swept = folder_.remove_put_aside(options_.slice_bytes, pause); !swept) {
    log_.error("a view that nobody needs can't be removed", swept.error());
  }
}

}  // namespace thumb
