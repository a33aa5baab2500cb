// How far the building of a view has come, for the operator who waits for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "state_projector/positions.h"

namespace thumb {

// As of one moment.
struct BuildReport {
  enum class State { kNone, kBuilding, kServing, kFailed };
  State state = State::kNone;  // of the newest build since the start of this process
  std::string task;            // what was asked for: "rebuild", "restore", "rollback"; or nothing
  std::string view_id;
  Positions begun_at;
  Positions positions;
  Positions targets;         // ends of the log when it began; no more than a moving goal's first
  std::int64_t records = 0;  // folded by this process
  std::chrono::duration<double> took{};
  std::string problem;  // kFailed: why

  [[nodiscard]] double records_per_second() const;
  [[nodiscard]] std::int64_t total() const;  // offsets up to the targets
  [[nodiscard]] std::int64_t left() const;   // those of them past the positions
  // Until they are read; empty before there is a rate.
  [[nodiscard]] std::optional<double> seconds_left() const;
  // The same of one partition, at the rate that it is read at itself.
  [[nodiscard]] std::optional<double> seconds_left(const ViewPartition& partition) const;
};

// Offsets that `positions` lack to be at or past `wanted` in every partition.
[[nodiscard]] std::int64_t offsets_missing(const Positions& positions, const Positions& wanted);

// Thread-safe: the builder tells, anybody asks.
class BuildProgress {
 public:
  // Called at every change, by whoever makes it, one at a time; must not call back.
  using Changed = std::function<void(const BuildReport&)>;

  explicit BuildProgress(Changed changed = [](const BuildReport&) {})
      : changed_(std::move(changed)) {}

  // What the builds from now on are for.
  void asked(const std::string& task);
  void begin(const std::string& view_id, const Positions& positions);
  void aim(const Positions& targets);
  void moved(const Positions& positions, std::size_t records);
  void serves();
  void failed(const std::string& problem);

  [[nodiscard]] BuildReport report() const;

 private:
  using Steady = std::chrono::steady_clock;

  const Changed changed_;
  mutable std::mutex mutex_;
  BuildReport report_;
  std::string task_;
  Steady::time_point begun_;
};

}  // namespace thumb
