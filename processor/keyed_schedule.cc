#include "processor/keyed_schedule.h"

#include <algorithm>
#include <limits>

namespace thumb {

void KeyedSchedule::add(const std::string& key, LogPosition position, RunsAfter rule) {
  entries_.emplace(position, Entry{key, rule, State::kWaiting});
  Line& line = lines_[key];
  line.push_back(position);
  wake_line(line);
}

std::optional<LogPosition> KeyedSchedule::take() {
  if (runnable_.empty()) return std::nullopt;
  const LogPosition position = runnable_.front();
  runnable_.pop_front();
  entries_.at(position).state = State::kRunning;
  return position;
}

void KeyedSchedule::resume(LogPosition position) {
  const auto entry = entries_.find(position);
  if (entry != entries_.end() && entry->second.state == State::kRunning) make_runnable(position);
}

void KeyedSchedule::finish(LogPosition position) {
  Entry& entry = entries_.at(position);
  entry.state = State::kFinished;
  wake_line(lines_.at(entry.key));
}

void KeyedSchedule::commit(LogPosition position) {
  const auto entry = entries_.find(position);
  if (entry == entries_.end()) return;
  const auto line = lines_.find(entry->second.key);
  std::erase(line->second, position);
  entries_.erase(entry);
  if (line->second.empty()) {
    lines_.erase(line);
  } else {
    wake_line(line->second);
  }
}

void KeyedSchedule::drop(std::int32_t partition) {
  const auto gone = [&](const LogPosition& position) { return position.partition == partition; };
  std::erase_if(runnable_, gone);
  std::erase_if(entries_, [&](const auto& entry) { return gone(entry.first); });
  for (auto& [key, line] : lines_) std::erase_if(line, gone);
  std::erase_if(lines_, [](const auto& line) { return line.second.empty(); });
  for (const auto& [key, line] : lines_) wake_line(line);
}

// The first of a line that is not finished may run, if its rule allows what stands before it.
void KeyedSchedule::wake_line(const Line& line) {
  const auto next = std::find_if(line.begin(), line.end(), [&](const LogPosition& position) {
    return entries_.at(position).state != State::kFinished;
  });
  if (next == line.end()) return;
  const Entry& entry = entries_.at(*next);
  if (entry.state != State::kWaiting) return;
  const bool all_before_committed = next == line.begin();
  if (entry.rule == RunsAfter::kEarlierCommitted && !all_before_committed) return;
  make_runnable(*next);
}

void KeyedSchedule::make_runnable(LogPosition position) {
  entries_.at(position).state = State::kRunnable;
  runnable_.push_back(position);
}

}  // namespace thumb
