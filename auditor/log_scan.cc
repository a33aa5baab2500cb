#include "auditor/log_scan.h"

#include <algorithm>
#include <array>

namespace thumb::auditor {
namespace {

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

// What is past the ends is left for the next call: it may name what was not read yet.
Result<void> LogScan::read_to(const Ends& ends, AuditBook& book, const std::stop_token& stop) {
  std::vector<kafka::Stretch> stretches;
  for (const auto& [tp, end] : ends) stretches.push_back({tp, positions_[tp], end});
  auto read = kafka::read_stretches(
      reader_, stretches,
      [&book](const InRecord& record) -> Result<void> {
        book.add(record);
        return {};
      },
      options_.reading, stop);
  if (!read) return read;
  for (const auto& [tp, end] : ends) positions_[tp] = std::max(positions_[tp], end);
  return {};
}

}  // namespace thumb::auditor
