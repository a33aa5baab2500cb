// Answers "has the view folded in all that the log holds now?" for guarantee 6, in a way that a
// flood of unknown ids can't turn into a flood of questions to Kafka.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "ingest/ports.h"
#include "platform/metrics.h"
#include "platform/result.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

struct FreshnessOptions {
  std::size_t threads = 4;          // questions to Kafka under way at once, one a partition
  std::size_t max_pending = 4'096;  // past it "busy"
  std::chrono::milliseconds timeout{3'000};  // from the call to its answer, whatever happens
};

// Thread-safe. REQUIRES: `ends` and `view` outlive it, and nothing calls await() once the
// destructor runs; what is still pending then is answered with an error.
class Freshness {
 public:
  using Done = std::function<void(Result<void>)>;

  Freshness(LogEnds& ends, ViewReader& view, const FreshnessOptions& options, Metrics& metrics);
  ~Freshness();
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;

  // Never blocks. `done` is called exactly once, on another thread or inline: with success when the
  // view holds everything that was in this partition of image-requests when await() was called.
  // Callers of one partition share a question, but only one that was put after they called: an
  // answer under way may be older than the record they look for.
  // Errors, all kUnavailable, back off: "log-unavailable" (Kafka can't be asked), "view-behind"
  // (the time limit), "busy" (too many pending).
  void await(std::int32_t partition, Done done);

 private:
  struct Waiter;
  class Pending;
  using Waiters = std::vector<std::shared_ptr<Waiter>>;
  struct Partition {
    Waiters next;         // to be served by the next question
    bool queued = false;  // a question is due or under way
  };

  void ask_loop(const std::stop_token& stop);
  void ask(std::int32_t partition);
  void follow(std::int32_t partition, std::int64_t end, Waiters waiters);

  LogEnds& ends_;
  ViewReader& view_;
  const FreshnessOptions options_;
  prometheus::Counter& questions_;
  // Shared with callbacks that the view still holds, which may come after this object is gone.
  const std::shared_ptr<Pending> pending_;

  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::map<std::int32_t, Partition> partitions_;
  std::deque<std::int32_t> due_;       // partitions with a question to put
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace thumb::ingest
