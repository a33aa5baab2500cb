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

constexpr std::string_view kOutOfRange = "offset-out-of-range";

// Nothing can end the wait for one answer, so a longer wait is made of several questions.
constexpr milliseconds kQuestionLimit{3'000};

}  // namespace

StartFinder::StartFinder(TopicNames names, kafka::Admin& admin, kafka::PartitionReader& reader,
                         const Clock& clock, StartOptions options)
    : names_(std::move(names)),
      admin_(admin),
      reader_(reader),
      clock_(clock),
      options_(std::move(options)) {}

// Asks until there is an answer, the time is over, or a stop.
template <typename Question>
auto StartFinder::ask(const Limit& limit, const Question& question) {
  while (true) {
    const auto left =
        std::chrono::ceil<milliseconds>(limit.deadline - std::chrono::steady_clock::now());
    auto answer = question(std::clamp(left, milliseconds(1), kQuestionLimit));
    const bool in_vain = !answer && (answer.error().kind == ErrorKind::kTimeout ||
                                     answer.error().kind == ErrorKind::kUnavailable);
    if (!in_vain || left <= kQuestionLimit || limit.stop.stop_requested()) return answer;
  }
}

Result<std::vector<PartitionStart>> StartFinder::find(std::span<const PartitionOffset> committed,
                                                      const std::stop_token& stop) {
  const Limit limit{std::chrono::steady_clock::now() + options_.timeout, stop};
  std::vector<PartitionOffset> starts(committed.begin(), committed.end());
  if (auto settled = settle_unknown(starts, limit); !settled) return Failure(settled.error());
  const auto times = times_at(starts, limit);
  if (!times && times.error().code == kOutOfRange) return outside_log(starts, times.error(), limit);
  if (!times) return Failure(times.error());
  std::vector<PartitionStart> found;
  for (const auto& start : starts) {
    const auto at = times->find(start.tp);
    const auto from = warm_up_from(start, at == times->end() ? clock_.now() : at->second, limit);
    if (!from) return Failure(from.error());
    found.push_back({start.tp, start.offset, *from});
  }
  return found;
}

// Gives the partitions without an offset one: the beginning, if nothing was ever made of them.
Result<void> StartFinder::settle_unknown(std::vector<PartitionOffset>& starts, const Limit& limit) {
  std::vector<std::int32_t> unknown;
  for (const auto& start : starts) {
    if (start.offset < 0) unknown.push_back(start.tp.partition);
  }
  if (unknown.empty()) return {};
  const auto begun = with_outputs(unknown, limit);
  if (!begun) return Failure(begun.error());
  if (!begun->empty()) return refusal(*begun, answered(*begun, limit.stop));
  std::vector<TopicPartition> unbegun;
  for (const auto& start : starts) {
    if (start.offset < 0) unbegun.push_back(start.tp);
  }
  const auto marks = watermarks_of(unbegun, limit);
  if (!marks) return Failure(marks.error());
  for (auto& start : starts) {
    if (start.offset < 0) start.offset = marks->at(start.tp).low;
  }
  return {};
}

// The partitions of the outputs of `partitions`, from their beginnings; empty ones left out.
Result<std::vector<PartitionOffset>> StartFinder::outputs_of(
    std::span<const std::int32_t> partitions, const Limit& limit) {
  std::vector<TopicPartition> outputs;
  for (const auto topic :
       {Topic::kThumbnailCompleted, Topic::kThumbnailFailed, Topic::kImageRequestsDlq}) {
    for (const auto partition : partitions) outputs.push_back({names_.of(topic), partition});
  }
  const auto marks = watermarks_of(outputs, limit);
  if (!marks) return Failure(marks.error());
  std::vector<PartitionOffset> starts;
  for (const auto& tp : outputs) {
    const auto& [low, high] = marks->at(tp);
    if (low < high) starts.push_back({tp, low});
  }
  return starts;
}

// Those of `partitions` whose outputs hold a committed record. Positions alone can't tell: aborted
// transactions and control records take offsets too.
Result<std::vector<std::int32_t>> StartFinder::with_outputs(
    std::span<const std::int32_t> partitions, const Limit& limit) {
  const auto outputs = outputs_of(partitions, limit);
  if (!outputs) return Failure(outputs.error());
  const auto records = kafka::first_records(reader_, *outputs, limit.deadline, limit.stop);
  if (!records) return Failure(records.error());
  std::set<std::int32_t> begun;
  for (const auto& [tp, at] : *records) begun.insert(tp.partition);
  return std::vector<std::int32_t>(begun.begin(), begun.end());
}

// How far each was answered; empty if that can't be found out.
std::map<std::int32_t, std::int64_t> StartFinder::answered(std::span<const std::int32_t> partitions,
                                                           const std::stop_token& stop) {
  const Limit limit{std::chrono::steady_clock::now() + kLookBackLimit, stop};
  const auto outputs = outputs_of(partitions, limit);
  if (!outputs) return {};
  auto found = answered_up_to(reader_, names_, *outputs, limit.deadline, stop);
  return found ? std::move(*found) : std::map<std::int32_t, std::int64_t>();
}

// When the next record of each was appended. Where there is none yet, the last one stands in for
// it: what comes will be younger. Our own clock would not do, since it need not be the log's.
Result<std::map<TopicPartition, TimeMs>> StartFinder::times_at(
    std::span<const PartitionOffset> starts, const Limit& limit) {
  auto times = kafka::first_records(reader_, starts, limit.deadline, limit.stop);
  if (!times) return times;
  std::vector<TopicPartition> at_end;
  for (const auto& start : starts) {
    if (!times->contains(start.tp)) at_end.push_back(start.tp);
  }
  const auto marks = watermarks_of(at_end, limit);
  if (!marks) return Failure(marks.error());
  std::vector<PartitionOffset> before;
  for (const auto& [tp, offset] : starts) {
    const auto found = marks->find(tp);
    if (found != marks->end() && found->second.low < offset) before.push_back({tp, offset - 1});
  }
  const auto last = kafka::first_records(reader_, before, limit.deadline, limit.stop);
  if (!last) return last;
  times->insert(last->begin(), last->end());
  return times;
}

Result<std::int64_t> StartFinder::warm_up_from(const PartitionOffset& start, TimeMs at,
                                               const Limit& limit) {
  return ask(limit,
             [&](milliseconds wait) {
               return admin_.offset_for_time(start.tp, at - kRepeatWindow, wait);
             })
      .map([&](std::int64_t offset) { return std::min(offset, start.offset); });
}

Result<std::map<TopicPartition, kafka::Watermarks>> StartFinder::watermarks_of(
    std::span<const TopicPartition> partitions, const Limit& limit) {
  return ask(limit, [&](milliseconds wait) { return admin_.watermarks_of(partitions, wait); });
}

Failure StartFinder::refusal(std::span<const std::int32_t> partitions,
                             const std::map<std::int32_t, std::int64_t>& answered) const {
  std::map<std::int32_t, std::optional<std::int64_t>> offsets;
  for (const auto partition : partitions) {
    const auto next = answered.find(partition);
    if (next == answered.end()) {
      offsets[partition] = std::nullopt;
    } else {
      offsets[partition] = next->second;
    }
  }
  return fail(ErrorKind::kConflict, "group-offset-missing",
              fmt::format("group {} has no committed offset for partition {} of {}, although "
                          "requests of it were answered already; starting anywhere would repeat or "
                          "lose work. Set the offsets and start again. By the answers it stood "
                          "here: {}",
                          options_.group_id, fmt::join(partitions, ","),
                          names_.of(Topic::kImageRequests), command_that_sets(offsets)));
}

// Records were removed, or the end of the log was lost, with the machine's power, say.
Failure StartFinder::outside_log(std::span<const PartitionOffset> starts, const Error& found,
                                 const Limit& limit) {
  std::map<std::int32_t, std::optional<std::int64_t>> offsets;
  std::string places;
  std::vector<TopicPartition> partitions;
  for (const auto& start : starts) partitions.push_back(start.tp);
  const auto marks = watermarks_of(partitions, limit);
  if (!marks) return Failure(marks.error());
  for (const auto& [tp, offset] : starts) {
    const auto& [low, high] = marks->at(tp);
    if (offset >= low && offset <= high) continue;
    offsets[tp.partition] = std::clamp(offset, low, high);
    places +=
        fmt::format(" partition {} at {}, the log from {} to {};", tp.partition, offset, low, high);
  }
  if (offsets.empty()) return Failure(found);
  return fail(found.kind, found.code,
              fmt::format("group {} stands where {} holds nothing:{} what lay between is lost. Set "
                          "the offsets and start again. What is left goes on from here: {}",
                          options_.group_id, names_.of(Topic::kImageRequests), places,
                          command_that_sets(offsets)));
}

std::string StartFinder::command_that_sets(
    const std::map<std::int32_t, std::optional<std::int64_t>>& offsets) const {
  std::string lines;
  for (const auto& [partition, offset] : offsets) {
    lines += fmt::format(" '{},{},{}'", names_.of(Topic::kImageRequests), partition,
                         offset ? std::to_string(*offset) : "<offset>");
  }
  return fmt::format(
      "printf '%s\\n'{} > offsets.csv && kafka-consumer-groups --bootstrap-server {} --group {} "
      "--reset-offsets --from-file offsets.csv --execute",
      lines, options_.bootstrap, options_.group_id);
}

}  // namespace thumb
