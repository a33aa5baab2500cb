#include "processor/answered_requests.h"

#include <algorithm>
#include <optional>
#include <set>
#include <variant>

#include "schemas/codec.h"
#include "schemas/dead_letters.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kRecordsAtOnce = 10'000;
constexpr milliseconds kPollWait{500};

// The request that this output answers; nothing if it can't be told.
std::optional<LogPosition> request_of(const RecordView& record, const TopicNames& names) {
  if (record.topic == names.of(Topic::kImageRequestsDlq)) {
    const auto origin = origin_of(owned(record).headers);
    return origin ? std::optional(origin->position) : std::nullopt;
  }
  const auto decoded = decode(record);
  if (!decoded) return std::nullopt;
  if (const auto* completed = std::get_if<ThumbnailCompleted>(&decoded->event)) {
    return completed->request;
  }
  const auto* failed = std::get_if<ThumbnailFailed>(&decoded->event);
  return failed != nullptr ? std::optional(failed->request) : std::nullopt;
}

}  // namespace

Result<std::map<std::int32_t, std::int64_t>> answered_up_to(
    kafka::PartitionReader& reader, const TopicNames& names,
    std::span<const kafka::PartitionOffset> outputs, steady_clock::time_point deadline,
    const std::stop_token& stop) {
  std::map<std::int32_t, std::int64_t> next;
  if (auto assigned = reader.assign(outputs); !assigned) return Failure(assigned.error());
  std::set<kafka::TopicPartition> open;
  for (const auto& output : outputs) open.insert(output.tp);
  while (!open.empty()) {
    if (steady_clock::now() >= deadline || stop.stop_requested()) {
      return fail_transient(ErrorKind::kTimeout, "start-timeout",
                            "the outputs could not be read in time");
    }
    const auto batch = reader.poll(kRecordsAtOnce, kPollWait);
    if (!batch) return Failure(batch.error());
    for (const auto& record : batch->records) {
      const auto request = request_of(record, names);
      if (!request) continue;
      auto& behind = next[request->partition];
      behind = std::max(behind, request->offset + 1);
    }
    for (const auto& end : batch->ends) open.erase(end.tp);
  }
  return next;
}

}  // namespace thumb
