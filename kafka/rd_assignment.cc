// The library is told of each change as it comes: it keeps the whole.
#include "kafka/rd_assignment.h"

#include <algorithm>

#include "kafka/rd_error.h"

namespace thumb::kafka {
namespace {

Result<void> fatal_unless_done(const RdError& error, std::string_view what) {
  if (!error) return {};
  auto failure =
      to_error(rd_kafka_error_code(error.get()), what, rd_kafka_error_string(error.get()));
  failure.retry = Retry::kFatal;
  return tl::unexpected(std::move(failure));
}

}  // namespace

Result<void> RdAssignment::take(std::span<const TopicPartition> partitions,
                                std::span<const PartitionOffset> starts) {
  std::vector<PartitionOffset> taken;
  std::vector<TopicPartition> held;
  for (const auto& tp : partitions) {
    const auto start = std::ranges::find(starts, tp, &PartitionOffset::tp);
    if (start != starts.end() && start->offset >= 0) {
      readable_.insert(tp);
      taken.push_back(*start);
    } else {
      held.push_back(tp);
      taken.push_back({tp, 0});
    }
  }
  const RdError error(rd_kafka_incremental_assign(client_.get(), to_rd(taken).get()));
  if (!held.empty()) rd_kafka_pause_partitions(client_.get(), to_rd(held).get());
  return fatal_unless_done(error, "assign");
}

Result<void> RdAssignment::give_back(const rd_kafka_topic_partition_list_t& partitions) {
  const RdError error(rd_kafka_incremental_unassign(client_.get(), &partitions));
  return fatal_unless_done(error, "unassign");
}

void RdAssignment::forget(std::span<const TopicPartition> partitions) {
  std::vector<TopicPartition> paused;
  for (const auto& tp : partitions) {
    if (paused_.contains(tp)) paused.push_back(tp);
  }
  resume(paused);
  for (const auto& tp : partitions) readable_.erase(tp);
}

void RdAssignment::pause_only(std::span<const TopicPartition> partitions) {
  std::vector<TopicPartition> fresh;
  for (const auto& tp : partitions) {
    if (readable_.contains(tp) && !paused_.contains(tp)) fresh.push_back(tp);
  }
  std::vector<TopicPartition> over;
  for (const auto& tp : paused_) {
    if (std::ranges::find(partitions, tp) == partitions.end()) over.push_back(tp);
  }
  resume(over);
  if (fresh.empty()) return;
  rd_kafka_pause_partitions(client_.get(), to_rd(fresh).get());
  paused_.insert(fresh.begin(), fresh.end());
}

void RdAssignment::resume(const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return;
  rd_kafka_resume_partitions(client_.get(), to_rd(partitions).get());
  for (const auto& tp : partitions) paused_.erase(tp);
}

}  // namespace thumb::kafka
