#include "auditor/log_scan.h"

#include <algorithm>
#include <array>

namespace thumb::auditor {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::array kRequests = {Topic::kImageRequests};
constexpr std::array kOthers = {Topic::kThumbnailCompleted, Topic::kThumbnailFailed,
                                Topic::kThumbnailStarted, Topic::kImagePrivate,
                                Topic::kImageRequestsDlq};

}  // namespace

Result<void> LogScan::read_on(AuditBook& book, const std::stop_token& stop) {
  const auto other_ends = ask_ends(kOthers, book);
  if (!other_ends) return Failure(other_ends.error());
  const auto request_ends = ask_ends(kRequests, book);
  if (!request_ends) return Failure(request_ends.error());
  if (auto read = read_to(*request_ends, book, stop); !read) return read;
  return read_to(*other_ends, book, stop);
}

Result<LogScan::Ends> LogScan::ask_ends(std::span<const Topic> topics, AuditBook& book) {
  Ends ends;
  for (const auto topic : topics) {
    for (std::int32_t number = 0; number < partitions_; ++number) {
      const kafka::TopicPartition tp{names_.of(topic), number};
      const auto marks = admin_.watermarks(tp, options_.ask_timeout);
      if (!marks) return Failure(marks.error());
      ends[tp] = marks->high;
      const bool first = positions_.try_emplace(tp, marks->low).second;
      // Started hints and personal fields are not kept for ever.
      const bool kept = topic != Topic::kThumbnailStarted && topic != Topic::kImagePrivate;
      if (first && kept && marks->low > 0) book.begins_at(topic, number, marks->low);
    }
  }
  return ends;
}

Result<void> LogScan::read_to(const Ends& ends, AuditBook& book, const std::stop_token& stop) {
  std::vector<kafka::PartitionOffset> starts;
  for (const auto& [tp, end] : ends) {
    if (positions_[tp] < end) starts.push_back({tp, positions_[tp]});
  }
  if (starts.empty()) return {};
  if (auto assigned = reader_.assign(starts); !assigned) return assigned;
  auto give_up = Steady::now() + options_.patience;
  while (!reached(ends)) {
    if (stop.stop_requested()) {
      return fail_transient(ErrorKind::kUnavailable, "stopped", "told to stop");
    }
    const auto batch = reader_.poll(options_.batch_records, options_.poll_wait);
    if (!batch) return Failure(batch.error());
    if (take(*batch, ends, book)) give_up = Steady::now() + options_.patience;
    if (Steady::now() >= give_up) {
      return fail_transient(ErrorKind::kTimeout, "audit-stalled",
                            "the broker gives no more records, although there are some");
    }
  }
  // What is fetched ahead would be fetched for nobody.
  return reader_.assign({});
}

// True if anything was below the ends. What is past them is left for the next call: it may name
// what was not read yet.
bool LogScan::take(const kafka::ReadBatch& batch, const Ends& ends, AuditBook& book) {
  bool moved = false;
  for (const auto& record : batch.records) {
    const kafka::TopicPartition tp{record.topic, record.position.partition};
    const auto end = ends.find(tp);
    if (end == ends.end()) continue;
    auto& position = positions_[tp];
    const auto next = std::min(record.position.offset + 1, end->second);
    if (record.position.offset < end->second) book.add(record);
    moved = moved || next > position;
    position = std::max(position, next);
  }
  for (const auto& [tp, offset] : batch.ends) {
    const auto end = ends.find(tp);
    if (end == ends.end()) continue;
    auto& position = positions_[tp];
    moved = moved || std::min(offset, end->second) > position;
    position = std::max(position, std::min(offset, end->second));
  }
  return moved;
}

bool LogScan::reached(const Ends& ends) const {
  return std::ranges::all_of(
      ends, [this](const auto& end) { return positions_.at(end.first) >= end.second; });
}

}  // namespace thumb::auditor
