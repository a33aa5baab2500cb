#include "processor/start_finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "kafka/first_records.h"
#include "processor/answered_requests.h"
#include "processor/repeat_filter.h"

namespace thumb {
namespace {

using kafka::PartitionOffset;
using kafka::TopicPartition;
using std::chrono::milliseconds;

// For the advice of a refusal, after which the process ends: not a part of any start.
constexpr milliseconds kLookBackLimit{60'000};

milliseconds left(Deadline deadline) {
  const auto rest = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(rest, milliseconds(1));
}

}  // namespace

StartFinder::StartFinder(TopicNames names, kafka::Admin& admin, kafka::PartitionReader& reader,
                         const Clock& clock, StartOptions options)
    : names_(std::move(names)),
      admin_(admin),
      reader_(reader),
      clock_(clock),
      options_(std::move(options)) {}

Result<std::vector<PartitionStart>> StartFinder::find(std::span<const PartitionOffset> committed) {
  const Deadline deadline = std::chrono::steady_clock::now() + options_.timeout;
  std::vector<PartitionOffset> starts(committed.begin(), committed.end());
  if (auto settled = settle_unknown(starts, deadline); !settled) return Failure(settled.error());
  const auto next_records = kafka::first_records(reader_, starts, deadline);
  if (!next_records) return Failure(next_records.error());
  std::vector<PartitionStart> found;
  for (const auto& start : starts) {
    const auto next = next_records->find(start.tp);
    const TimeMs at = next == next_records->end() ? clock_.now() : next->second;
    const auto from = warm_up_from(start, at, deadline);
    if (!from) return Failure(from.error());
    found.push_back({start.tp, start.offset, *from});
  }
  return found;
}

// Gives the partitions without an offset one: the beginning, if nothing was ever made of them.
Result<void> StartFinder::settle_unknown(std::vector<PartitionOffset>& starts, Deadline deadline) {
  std::vector<std::int32_t> unknown;
  for (const auto& start : starts) {
    if (start.offset < 0) unknown.push_back(start.tp.partition);
  }
  if (unknown.empty()) return {};
  const auto begun = with_outputs(unknown, deadline);
  if (!begun) return Failure(begun.error());
  if (!begun->empty()) return refusal(*begun, answered(*begun));
  for (auto& start : starts) {
    if (start.offset >= 0) continue;
    const auto marks = admin_.watermarks(start.tp, left(deadline));
    if (!marks) return Failure(marks.error());
    start.offset = marks->low;
  }
  return {};
}

// The partitions of the outputs of `partitions`, from their beginnings; empty ones left out.
Result<std::vector<PartitionOffset>> StartFinder::outputs_of(
    std::span<const std::int32_t> partitions, Deadline deadline) {
  std::vector<PartitionOffset> starts;
  for (const auto topic :
       {Topic::kThumbnailCompleted, Topic::kThumbnailFailed, Topic::kImageRequestsDlq}) {
    for (const auto partition : partitions) {
      const TopicPartition tp{names_.of(topic), partition};
      const auto marks = admin_.watermarks(tp, left(deadline));
      if (!marks) return Failure(marks.error());
      if (marks->low < marks->high) starts.push_back({tp, marks->low});
    }
  }
  return starts;
}

// Those of `partitions` whose outputs hold a committed record. Positions alone can't tell: aborted
// transactions and control records take offsets too.
Result<std::vector<std::int32_t>> StartFinder::with_outputs(
    std::span<const std::int32_t> partitions, Deadline deadline) {
  const auto outputs = outputs_of(partitions, deadline);
  if (!outputs) return Failure(outputs.error());
  const auto records = kafka::first_records(reader_, *outputs, deadline);
  if (!records) return Failure(records.error());
  std::set<std::int32_t> begun;
  for (const auto& [tp, at] : *records) begun.insert(tp.partition);
  return std::vector<std::int32_t>(begun.begin(), begun.end());
}

// How far each was answered; empty if that can't be found out.
std::map<std::int32_t, std::int64_t> StartFinder::answered(
    std::span<const std::int32_t> partitions) {
  const Deadline deadline = std::chrono::steady_clock::now() + kLookBackLimit;
  const auto outputs = outputs_of(partitions, deadline);
  if (!outputs) return {};
  auto found = answered_up_to(reader_, names_, *outputs, deadline);
  return found ? std::move(*found) : std::map<std::int32_t, std::int64_t>();
}

Result<std::int64_t> StartFinder::warm_up_from(const PartitionOffset& start, TimeMs at,
                                               Deadline deadline) {
  return admin_.offset_for_time(start.tp, at - kRepeatWindow, left(deadline))
      .map([&](std::int64_t offset) { return std::min(offset, start.offset); });
}

Failure StartFinder::refusal(std::span<const std::int32_t> partitions,
                             const std::map<std::int32_t, std::int64_t>& answered) const {
  const std::string topic = names_.of(Topic::kImageRequests);
  std::string lines;
  for (const auto partition : partitions) {
    const auto next = answered.find(partition);
    lines += fmt::format(" '{},{},{}'", topic, partition,
                         next == answered.end() ? "<offset>" : std::to_string(next->second));
  }
  return fail(ErrorKind::kConflict, "group-offset-missing",
              fmt::format("group {0} has no committed offset for partition {2} of {1}, although "
                          "requests of it were answered already; starting anywhere would repeat or "
                          "lose work. Set the offsets and start again. By the answers it stood "
                          "here: printf '%s\\n'{4} > offsets.csv && kafka-consumer-groups "
                          "--bootstrap-server {3} --group {0} --reset-offsets --from-file "
                          "offsets.csv --execute",
                          options_.group_id, topic, fmt::format("{}", fmt::join(partitions, ",")),
                          options_.bootstrap, lines));
}

}  // namespace thumb
