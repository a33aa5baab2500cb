// Two orders over the same waiters, so that settling costs what is settled and not what waits.
#include "state_projector/waiters.h"

namespace thumb {

Waiters::~Waiters() {
  for (auto& [key, waiter] : waiters_) waiter.done(false);
}

void Waiters::add(const Wanted& wanted, Done done, const std::function<bool()>& reached_already) {
  bool reached = false;
  {
    const std::lock_guard lock(mutex_);
    reached = reached_already();
    if (!reached && waiters_.size() < kMaxWaiting) {
      const auto key = ++last_key_;
      by_offset_[wanted.partition].emplace(wanted.next_offset, key);
      by_deadline_.emplace(wanted.deadline, key);
      waiters_.emplace(key, Waiter{wanted, std::move(done)});
      return;
    }
  }
  done(reached);
}

Waiters::Done Waiters::take(Key key) {
  const auto found = waiters_.find(key);
  auto waiter = std::move(found->second);
  waiters_.erase(found);
  by_deadline_.erase({waiter.wanted.deadline, key});
  const auto partition = by_offset_.find(waiter.wanted.partition);
  partition->second.erase({waiter.wanted.next_offset, key});
  if (partition->second.empty()) by_offset_.erase(partition);
  return std::move(waiter.done);
}

std::vector<Waiters::Done> Waiters::take_reached(const Positions& positions) {
  std::vector<Key> keys;
  for (const auto& [partition, wanted] : by_offset_) {
    const auto position = position_of(positions, partition);
    for (const auto& [offset, key] : wanted) {
      if (offset > position) break;
      keys.push_back(key);
    }
  }
  std::vector<Done> reached;
  for (const auto key : keys) reached.push_back(take(key));
  return reached;
}

void Waiters::settle(const Positions* positions, Deadline now) {
  std::vector<Done> reached;
  std::vector<Done> expired;
  {
    const std::lock_guard lock(mutex_);
    if (positions != nullptr) reached = take_reached(*positions);
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
      expired.push_back(take(by_deadline_.begin()->second));
    }
  }
  for (auto& done : reached) done(true);
  for (auto& done : expired) done(false);
}

std::vector<Waiters::Wanted> Waiters::lowest() const {
  const std::lock_guard lock(mutex_);
  std::vector<Wanted> lowest;
  for (const auto& [partition, wanted] : by_offset_) {
    lowest.push_back(waiters_.at(wanted.begin()->second).wanted);
  }
  return lowest;
}

bool Waiters::empty() const {
  const std::lock_guard lock(mutex_);
  return waiters_.empty();
}

std::optional<Deadline> Waiters::next_deadline() const {
  const std::lock_guard lock(mutex_);
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

}  // namespace thumb
