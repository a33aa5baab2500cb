#include "kafka/first_records.h"

#include <algorithm>
#include <set>

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollWait{500};

milliseconds left(Deadline deadline) {
  const auto rest = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(rest, milliseconds(1));
}

// Reads until each partition has shown a record or its end.
Result<std::map<TopicPartition, TimeMs>> read_firsts(PartitionReader& reader,
                                                     std::span<const PartitionOffset> starts,
                                                     Deadline deadline,
                                                     const std::stop_token& stop) {
  std::map<TopicPartition, TimeMs> found;
  std::set<TopicPartition> open;
  for (const auto& start : starts) open.insert(start.tp);
  while (!open.empty()) {
    if (std::chrono::steady_clock::now() >= deadline || stop.stop_requested()) {
      return fail_transient(ErrorKind::kTimeout, "read-timeout",
                            "the start of a partition could not be read in time");
    }
    const auto batch = reader.poll(1'000, std::min(left(deadline), kPollWait));
    if (!batch) return Failure(batch.error());
    for (const auto& record : batch->records) {
      const TopicPartition tp{std::string(record.topic), record.position.partition};
      if (open.erase(tp) > 0) found.emplace(tp, record.timestamp);
    }
    for (const auto& end : batch->ends) open.erase(end.tp);
  }
  return found;
}

}  // namespace

Result<std::map<TopicPartition, TimeMs>> first_records(PartitionReader& reader,
                                                       std::span<const PartitionOffset> starts,
                                                       Deadline deadline,
                                                       const std::stop_token& stop) {
  if (starts.empty()) return std::map<TopicPartition, TimeMs>();
  if (auto assigned = reader.assign(starts); !assigned) return Failure(assigned.error());
  auto found = read_firsts(reader, starts, deadline, stop);
  // What was read ahead here must not go on being fetched.
  if (auto idle = reader.assign({}); !idle) return Failure(idle.error());
  return found;
}

}  // namespace thumb::kafka
