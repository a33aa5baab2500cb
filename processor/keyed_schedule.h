// Which record may be worked on now: those of one key in order, one at a time; those of different
// keys at once; a delete only when all earlier records of its key are committed. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "platform/log_position.h"

namespace thumb {

enum class RunsAfter : std::uint8_t {
  kEarlierFinished,   // the earlier records of its key are worked off
  kEarlierCommitted,  // ... and their outcomes are committed
};

// For one thread. Positions come in rising order per partition.
class KeyedSchedule {
 public:
  // REQUIRES: `position` is not in the schedule. All records of a key are of one partition.
  void add(const std::string& key, LogPosition position, RunsAfter rule);
  // The next record to work on, in the order they became runnable; it counts as running.
  [[nodiscard]] std::optional<LogPosition> take();
  // It was taken and shall be tried again later: it keeps its place in its key's line, and is
  // handed out by take() once more only after resume().
  void resume(LogPosition position);
  // It was worked off: the next of its key may run.
  // REQUIRES: it was taken.
  void finish(LogPosition position);
  // Its outcome is committed: it leaves the schedule.
  // REQUIRES: it was finished, and so were all of its partition before it.
  void commit(LogPosition position);
  // Forgets everything of a partition, whatever its state.
  void drop(std::int32_t partition);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  enum class State : std::uint8_t { kWaiting, kRunnable, kRunning, kFinished };
  struct Entry {
    std::string key;
    RunsAfter rule = RunsAfter::kEarlierFinished;
    State state = State::kWaiting;
  };
  using Line = std::deque<LogPosition>;  // of one key: first come first

  void wake_line(const Line& line);
  void make_runnable(LogPosition position);

  std::map<LogPosition, Entry> entries_;
  std::unordered_map<std::string, Line> lines_;
  std::deque<LogPosition> runnable_;
};

}  // namespace thumb
