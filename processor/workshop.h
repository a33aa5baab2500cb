// Worker threads between two queues: jobs go in, outcomes are collected by the loop thread.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "platform/worker_pool.h"
#include "processor/work_table.h"

namespace thumb {

// What came of a job. An error is a passing one: try again later.
struct JobResult {
  Ticket ticket;
  unsigned attempt = 0;
  Result<Outcome> outcome;
};

// Thread-safe. Jobs that were revoked before they began are skipped without a result.
class Workshop {
 public:
  using Handle = std::function<Result<Outcome>(const Job&)>;

  // `handle` is called on several threads at once and must not throw; `on_result` is called on a
  // worker thread whenever there is something to collect, and must be short.
  Workshop(std::size_t workers, std::size_t queue_limit, Handle handle,
           std::function<void()> on_result);

  // False: the queue is full. The job is then untouched.
  [[nodiscard]] bool submit(Job job);
  [[nodiscard]] std::vector<JobResult> collect();

 private:
  void run(const Job& job);

  Handle handle_;
  std::function<void()> on_result_;
  std::mutex mutex_;
  std::vector<JobResult> results_;
  WorkerPool pool_;  // last: its threads use all of the above
};

}  // namespace thumb
