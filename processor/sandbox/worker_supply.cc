#include "processor/sandbox/worker_supply.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace thumb {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using Reason = SandboxMetrics::Reason;

constexpr seconds kZygoteStartLimit{30};
constexpr seconds kWorkerStartLimit{10};
constexpr seconds kEndLimit{3};
constexpr unsigned kManyFailures = 3;

}  // namespace

WorkerSupply::WorkerSupply(SupplyOptions options, Log& log, SandboxMetrics& metrics)
    : options_(std::move(options)),
      log_(log),
      metrics_(metrics),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      keeper_([this](const std::stop_token& stop) { keep(stop); }) {}

WorkerSupply::~WorkerSupply() {
  keeper_.request_stop();
  wake();
}

Result<void> WorkerSupply::await_first(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto decided = [&] { return !idle_.empty() || failures_ >= kManyFailures; };
  changed_.wait_until(lock, deadline, decided);
  if (!idle_.empty()) return {};
  return fail_transient(ErrorKind::kUnavailable, "decoder-unavailable",
                        "No decoding process could be started.", trouble_);
}

std::shared_ptr<WorkerLink> WorkerSupply::take(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto me = waiting_.emplace(waiting_.end());
  const auto mine = [&] { return me == waiting_.begin() && !idle_.empty(); };
  const bool served = me->wait_until(lock, deadline, mine);
  waiting_.erase(me);
  std::shared_ptr<WorkerLink> link;
  if (served) {
    Entry& entry = entries_.at(idle_.back());
    idle_.pop_back();
    entry.state = State::kLent;
    link = entry.link;
  }
  call_next();  // who was behind may be first in line now
  return link;
}

void WorkerSupply::call_next() {
  if (!waiting_.empty() && !idle_.empty()) waiting_.front().notify_one();
}

void WorkerSupply::give_back(const std::shared_ptr<WorkerLink>& worker, Fate fate) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(worker->id);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (entry.ended) {
      entries_.erase(found);
    } else if (fate == Fate::kKeep) {
      entry.state = State::kIdle;
      idle_.push_back(worker->id);
      call_next();
    } else {
      shutdown(worker->channel.get(), SHUT_RDWR);  // a worker that waits for a job ends
      entry.state = State::kEnding;
      entry.to_kill = fate == Fate::kKill;
      entry.deadline = steady_clock::now() + kEndLimit;
    }
  }
  if (fate != Fate::kKeep) wake();
}

Death WorkerSupply::await_death(const WorkerLink& worker, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto& entry = entries_.at(worker.id);
  changed_.wait_until(lock, deadline, [&] { return entry.ended; });
  return entry.death;
}

bool WorkerSupply::healthy() const {
  const std::scoped_lock lock(mutex_);
  return failures_ < kManyFailures;
}

void WorkerSupply::wake() const { eventfd_write(wake_.get(), 1); }

std::size_t WorkerSupply::alive() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return !entry.second.ended; }));
}

void WorkerSupply::show_alive() {
  metrics_.workers.Set(static_cast<double>(std::ranges::count_if(entries_, [](const auto& entry) {
    return !entry.second.ended && entry.second.state != State::kStarting;
  })));
}

void WorkerSupply::keep(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    tend_zygote();
    fork_missing();
    end_overdue();
    wait_for_news();
  }
  zygote_.reset();
}

void WorkerSupply::tend_zygote() {
  const auto now = steady_clock::now();
  if (zygote_ != nullptr) {
    if (!zygote_up_ && now >= zygote_deadline_) lose_zygote("it did not come up in time");
    return;
  }
  if (now < not_before_) return;
  if (++zygote_starts_ > 1) metrics_.zygote_restarts.Increment();
  zygote_up_ = false;
  zygote_deadline_ = now + kZygoteStartLimit;
  auto started = ZygoteProcess::start(options_.zygote_arguments);
  if (started) {
    zygote_ = std::move(*started);
  } else {
    const std::scoped_lock lock(mutex_);
    start_failed(started.error().detail);
  }
}

void WorkerSupply::fork_missing() {
  const auto now = steady_clock::now();
  while (zygote_ != nullptr && zygote_up_ && now >= not_before_) {
    const std::scoped_lock lock(mutex_);
    if (alive() >= options_.workers) return;
    const std::uint32_t id = next_id_++;
    auto made = make_worker_link(id, options_.input_bytes, options_.output_bytes);
    if (!made) {
      start_failed(made.error().detail);
      return;
    }
    // If the zygote is gone, its end is in the news too.
    const bool asked =
        zygote_->fork_worker(id, {made->channel.get(), made->input.get(), made->link->output.fd()});
    if (!asked) return;
    entries_[id] = {std::move(made->link),  State::kStarting, false, false, false, {},
                    now + kWorkerStartLimit};
  }
}

// A worker that does not end when told to is killed; a zygote that does not kill is hung.
void WorkerSupply::end_overdue() {
  const auto now = steady_clock::now();
  bool hung = false;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [id, entry] : entries_) {
      if (entry.ended || entry.state == State::kIdle || entry.state == State::kLent) continue;
      const bool overdue = now >= entry.deadline;
      hung = hung || (overdue && entry.kill_asked);
      if (entry.kill_asked || !(entry.to_kill || overdue)) continue;
      if (entry.state == State::kStarting) metrics_.count(Reason::kStart);
      entry.state = State::kEnding;
      entry.kill_asked = true;
      entry.deadline = now + kEndLimit;
      if (zygote_ == nullptr || !zygote_->kill_worker(id)) hung = true;
    }
  }
  if (hung && zygote_ != nullptr) lose_zygote("it does not end its workers");
}

}  // namespace thumb
