// A waiter is settled by whoever comes first: the answer, the view, or its deadline.
#include "ingest/freshness.h"

#include <list>

namespace thumb::ingest {

namespace {

prometheus::Counter& outcome(Metrics& metrics, const std::string& name) {
  return metrics.counter("thumb_ingest_freshness_waits_total",
                         "Lookups that had to ask the log how far it goes, by outcome",
                         {{"outcome", name}});
}

Failure refuse(std::string_view code, std::string_view message, std::string_view detail = {}) {
  return fail_transient(ErrorKind::kUnavailable, code, message, detail);
}

Failure view_behind() {
  return refuse("view-behind",
                "The state is not up to date with the event log yet; try again shortly.");
}

}  // namespace

struct Freshness::Waiter {
  Done done;
  Deadline deadline;
  bool settled = false;                                // guarded by Pending
  std::list<std::shared_ptr<Waiter>>::iterator place;  // in Pending; valid until settled
};

// All waiters that were not answered yet, in the order of their deadlines.
class Freshness::Pending {
 public:
  Pending(std::size_t limit, Metrics& metrics)
      : limit_(limit),
        fresh_(outcome(metrics, "fresh")),
        stale_(outcome(metrics, "unavailable")),
        busy_(outcome(metrics, "busy")) {}

  // False at the limit. Deadlines never go back, since all waiters get the same time.
  bool add(const std::shared_ptr<Waiter>& waiter, std::chrono::milliseconds timeout) {
    const std::lock_guard lock(mutex_);
    if (waiters_.size() >= limit_) {
      busy_.Increment();
      return false;
    }
    waiter->deadline = std::chrono::steady_clock::now() + timeout;
    waiter->place = waiters_.insert(waiters_.end(), waiter);
    added_.notify_one();
    return true;
  }

  [[nodiscard]] bool is_settled(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    return waiter.settled;
  }

  // Answers those that nobody answered before.
  void settle(const Waiters& waiters, const Result<void>& result) {
    Waiters ours;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& waiter : waiters) {
        if (std::exchange(waiter->settled, true)) continue;
        waiters_.erase(waiter->place);
        ours.push_back(waiter);
      }
    }
    for (const auto& waiter : ours) {
      (result ? fresh_ : stale_).Increment();
      waiter->done(result);
      waiter->done = nullptr;
    }
  }

  void settle_all(const Result<void>& result) { settle(snapshot(Deadline::max()), result); }

  // Waits for the first deadline to pass (or a stop), then answers those that are due.
  void expire_next(const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex_);
      if (!added_.wait(lock, stop, [this] { return !waiters_.empty(); })) return;
      const auto first = waiters_.front()->deadline;
      added_.wait_until(lock, stop, first, [] { return false; });
    }
    settle(snapshot(std::chrono::steady_clock::now()), view_behind());
  }

 private:
  Waiters snapshot(Deadline due) {
    const std::lock_guard lock(mutex_);
    Waiters found;
    for (const auto& waiter : waiters_) {
      if (waiter->deadline > due) break;
      found.push_back(waiter);
    }
    return found;
  }

  const std::size_t limit_;
  prometheus::Counter& fresh_;
  prometheus::Counter& stale_;
  prometheus::Counter& busy_;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

Freshness::Freshness(LogEnds& ends, ViewReader& view, const FreshnessOptions& options,
                     Metrics& metrics)
    : ends_(ends),
      view_(view),
      options_(options),
      questions_(metrics.counter("thumb_ingest_freshness_questions_total",
                                 "Questions put to Kafka on behalf of those lookups")),
      pending_(std::make_shared<Pending>(options.max_pending, metrics)) {
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { ask_loop(stop); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) pending_->expire_next(stop);
  });
}

Freshness::~Freshness() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  pending_->settle_all(refuse("shutting-down", "This server is being stopped; ask again."));
}

void Freshness::await(std::int32_t partition, Done done) {
  auto waiter = std::make_shared<Waiter>();
  waiter->done = std::move(done);
  if (!pending_->add(waiter, options_.timeout)) {
    waiter->done(refuse("busy", "Too many lookups wait for the event log; try again shortly."));
    return;
  }
  const std::lock_guard lock(mutex_);
  auto& state = partitions_[partition];
  state.next.push_back(std::move(waiter));
  if (state.queued) return;
  state.queued = true;
  due_.push_back(partition);
  asked_.notify_one();
}

void Freshness::ask_loop(const std::stop_token& stop) {
  for (;;) {
    std::int32_t partition = 0;
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [this] { return !due_.empty(); })) return;
      if (stop.stop_requested()) return;
      partition = due_.front();
      due_.pop_front();
    }
    ask(partition);
    const std::lock_guard lock(mutex_);
    auto& state = partitions_[partition];
    state.queued = !state.next.empty();
    if (state.queued) {
      due_.push_back(partition);
      asked_.notify_one();
    }
  }
}

// Takes those who wait now; who comes while Kafka is asked waits for the next question.
void Freshness::ask(std::int32_t partition) {
  Waiters waiters;
  {
    const std::lock_guard lock(mutex_);
    waiters.swap(partitions_[partition].next);
  }
  std::erase_if(waiters, [this](const auto& waiter) { return pending_->is_settled(*waiter); });
  if (waiters.empty()) return;
  questions_.Increment();
  const auto end = ends_.end_of(partition);
  if (end) return follow(partition, *end, std::move(waiters));
  pending_->settle(waiters,
                   refuse("log-unavailable",
                          "The event log can't be asked now, so it is unknown whether this "
                          "exists; try again shortly.",
                          end.error().detail));
}

void Freshness::follow(std::int32_t partition, std::int64_t end, Waiters waiters) {
  // The last to call has the latest deadline; expire_next() keeps those of the others.
  const auto deadline = waiters.back()->deadline;
  view_.wait_for(Topic::kImageRequests, partition, end, deadline,
                 [pending = pending_, waiters = std::move(waiters)](bool reached) {
                   pending->settle(waiters, reached ? Result<void>{} : view_behind());
                 });
}

}  // namespace thumb::ingest
