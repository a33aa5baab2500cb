// Callers that wait for a position: bounded, each answered exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/clock.h"
#include "state_projector/positions.h"

namespace thumb {

// Thread-safe. Answers are given outside its lock, by whoever calls.
class Waiters {
 public:
  using Done = std::function<void(bool reached)>;
  static constexpr std::size_t kMaxWaiting = 10'000;

  Waiters() = default;
  // Whoever still waits is told false.
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  struct Wanted {
    ViewPartition partition;
    std::int64_t next_offset = 0;
    Deadline deadline;
  };
  // `reached_already` is asked under the lock, so that no position slips by between a caller's look
  // and its waiting. Answers at once if that says yes, or if too many wait.
  void add(const Wanted& wanted, Done done, const std::function<bool()>& reached_already);

  // Answers everyone whose position is reached (null: there are no positions), or whose deadline
  // has passed.
  void settle(const Positions* positions, Deadline now);

  // The one that waits for the lowest offset, of each partition that somebody waits for.
  [[nodiscard]] std::vector<Wanted> lowest() const;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::optional<Deadline> next_deadline() const;

 private:
  using Key = std::uint64_t;
  struct Waiter {
    Wanted wanted;
    Done done;
  };

  [[nodiscard]] Done take(Key key);
  [[nodiscard]] std::vector<Done> take_reached(const Positions& positions);

  mutable std::mutex mutex_;
  Key last_key_ = 0;
  std::unordered_map<Key, Waiter> waiters_;
  std::map<ViewPartition, std::set<std::pair<std::int64_t, Key>>> by_offset_;
  std::set<std::pair<Deadline, Key>> by_deadline_;
};

}  // namespace thumb
