#include "processor/workshop.h"

#include <utility>

namespace thumb {

Workshop::Workshop(std::size_t workers, std::size_t queue_limit, Handle handle,
                   std::function<void()> on_result)
    : handle_(std::move(handle)), on_result_(std::move(on_result)), pool_(workers, queue_limit) {}

bool Workshop::submit(Job job) {
  WorkerPool::Job task = [this, job = std::move(job)] { run(job); };
  return pool_.try_submit(task);
}

std::vector<JobResult> Workshop::collect() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(results_, {});
}

void Workshop::run(const Job& job) {
  if (job.revoked.stop_requested()) return;
  auto outcome = handle_(job);
  {
    const std::scoped_lock lock(mutex_);
    results_.push_back({job.ticket, job.attempt, std::move(outcome)});
  }
  on_result_();
}

}  // namespace thumb
