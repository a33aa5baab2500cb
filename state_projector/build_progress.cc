#include "state_projector/build_progress.h"

#include <algorithm>

namespace thumb {

double BuildReport::records_per_second() const {
  return took.count() > 0 ? static_cast<double>(records) / took.count() : 0;
}

std::int64_t BuildReport::total() const { return offsets_missing({}, targets); }

std::int64_t BuildReport::left() const { return offsets_missing(positions, targets); }

std::optional<double> BuildReport::seconds_left() const {
  const auto rate = records_per_second();
  if (rate <= 0) return std::nullopt;
  return static_cast<double>(left()) / rate;
}

std::optional<double> BuildReport::seconds_left(const ViewPartition& partition) const {
  const auto position = position_of(positions, partition);
  const auto read = position - position_of(begun_at, partition);
  if (read <= 0 || took.count() <= 0) return std::nullopt;
  const auto missing = std::max<std::int64_t>(0, position_of(targets, partition) - position);
  return static_cast<double>(missing) * took.count() / static_cast<double>(read);
}

std::int64_t offsets_missing(const Positions& positions, const Positions& wanted) {
  std::int64_t missing = 0;
  for (const auto& [partition, offset] : wanted) {
    missing += std::max<std::int64_t>(0, offset - position_of(positions, partition));
  }
  return missing;
}

void BuildProgress::asked(const std::string& task) {
  const std::lock_guard lock(mutex_);
  task_ = task;
}

void BuildProgress::begin(const std::string& view_id, const Positions& positions) {
  const std::lock_guard lock(mutex_);
  if (report_.state == BuildReport::State::kBuilding && report_.view_id == view_id) {
    report_.positions = positions;  // the same build, gone on with in another way
    return changed_(report_);
  }
  report_ = {};
  report_.state = BuildReport::State::kBuilding;
  report_.task = task_;
  report_.view_id = view_id;
  report_.begun_at = positions;
  report_.positions = positions;
  begun_ = Steady::now();
  changed_(report_);
}

void BuildProgress::aim(const Positions& targets) {
  const std::lock_guard lock(mutex_);
  report_.targets = targets;
  changed_(report_);
}

void BuildProgress::moved(const Positions& positions, std::size_t records) {
  const std::lock_guard lock(mutex_);
  report_.positions = positions;
  report_.records += static_cast<std::int64_t>(records);
  report_.took = Steady::now() - begun_;
  changed_(report_);
}

void BuildProgress::serves() {
  const std::lock_guard lock(mutex_);
  if (report_.state == BuildReport::State::kBuilding) report_.state = BuildReport::State::kServing;
  changed_(report_);
}

void BuildProgress::failed(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  report_.state = BuildReport::State::kFailed;
  report_.problem = problem;
  changed_(report_);
}

BuildReport BuildProgress::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

}  // namespace thumb
