// A log as the pipeline writes it, made by hand: the raw material of the auditor's tests. Valid as
// long as nobody breaks it.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "auditor/audit_book.h"
#include "kafka/partitioner.h"
#include "schemas/codec.h"
#include "tests/support/event_samples.h"

namespace thumb::auditor::testing {

inline constexpr std::int32_t kPartitions = 3;
inline constexpr std::int64_t kNoonMs = 1'769'860'800'000;
inline constexpr std::chrono::milliseconds kGrace{60'000};

class History {
 public:
  TopicNames names{"t."};
  std::map<Topic, std::vector<InRecord>> records;
  std::int64_t now_ms = kNoonMs;

  // Appends with the key's partition, one second after the record before.
  LogPosition append(Topic topic, const OutRecord& out) {
    const auto partition = out.partition.value_or(kafka::partition_for(out.key, kPartitions));
    now_ms += 1'000;
    // Every other offset is a transaction's end, say.
    const LogPosition position{partition, 2 * next_[{topic, partition}]++};
    records[topic].push_back(
        {names.of(topic), position, time_from_ms(now_ms), out.key, out.value, out.headers});
    return position;
  }
  LogPosition append(const Event& event) {
    return append(topic_of(event),
                  encode(event, {time_from_ms(now_ms), "/test", std::nullopt}, names));
  }

  InRecord& at(Topic topic, LogPosition position) {
    return *std::ranges::find(records[topic], position, &InRecord::position);
  }
  void remove(Topic topic, LogPosition position) {
    std::erase_if(records[topic], [&](const InRecord& r) { return r.position == position; });
  }
  // The same record once more, at the end of its partition.
  LogPosition repeat(Topic topic, LogPosition position) {
    const InRecord record = at(topic, position);
    return append(
        topic, {record.topic, record.key, record.value, record.headers, record.position.partition});
  }

  // --- what the pipeline does ---

  LogPosition upload(std::uint8_t image) {
    return append(thumb::testing::uploaded(thumb::testing::image_id(image)));
  }
  LogPosition ask_again(std::uint8_t image, std::uint8_t request) {
    return append(thumb::testing::requested(thumb::testing::image_id(image),
                                            thumb::testing::request_id(request)));
  }
  LogPosition remove_image(std::uint8_t image, std::uint8_t request) {
    return append(thumb::testing::deleted(thumb::testing::image_id(image),
                                          thumb::testing::request_id(request)));
  }
  LogPosition garbage(const std::string& key, std::vector<Header> headers = {}) {
    return append(Topic::kImageRequests,
                  {names.of(Topic::kImageRequests), key, "not an event", std::move(headers), {}});
  }
  LogPosition start(LogPosition request) {
    const auto& base = request_at(request);
    return append(thumb::testing::started(base.image_id, base.request_id, request));
  }
  LogPosition complete(LogPosition request) {
    const auto& base = request_at(request);
    return append(thumb::testing::completed(base.image_id, base.request_id, request));
  }
  LogPosition fail(LogPosition request) {
    const auto& base = request_at(request);
    return append(thumb::testing::failed(base.image_id, base.request_id, request));
  }
  LogPosition bury(LogPosition request) {
    const InRecord& record = at(Topic::kImageRequests, request);
    OutRecord out{names.of(Topic::kImageRequestsDlq), record.key, record.value, record.headers, {}};
    const std::string prefix(kErrorHeaderPrefix);
    out.headers.push_back({prefix + "topic", record.topic});
    out.headers.push_back({prefix + "partition", std::to_string(request.partition)});
    out.headers.push_back({prefix + "offset", std::to_string(request.offset)});
    return append(Topic::kImageRequestsDlq, out);
  }
  // With the value replaced, if one is given: as after a mistake was mended.
  LogPosition send_again(LogPosition dead_letter) {
    const InRecord& letter = at(Topic::kImageRequestsDlq, dead_letter);
    OutRecord out{names.of(Topic::kImageRequests), letter.key, letter.value, {}, {}};
    const auto attempt = redrive_attempt(letter.headers) + 1;
    for (const auto& header : letter.headers) {
      const bool replaced =
          header.name.starts_with(kErrorHeaderPrefix) || header.name.starts_with("thumb_redrive_");
      if (!replaced) out.headers.push_back(header);
    }
    out.headers.push_back({std::string(kRedriveAttemptHeader), std::to_string(attempt)});
    out.headers.push_back({std::string(kRedriveOfHeader), to_string(dead_letter)});
    return append(Topic::kImageRequests, out);
  }

  // --- the audit of it ---

  // In the order in which the auditor reads: requests first, then what was made of them.
  void feed(AuditBook& book) const {
    for (const auto& [topic, of_topic] : records) {
      auto in_order = of_topic;
      std::ranges::stable_sort(in_order, {}, &InRecord::position);
      for (const auto& record : in_order) book.add(record);
    }
    book.next_round();
  }
  [[nodiscard]] Findings audit(std::chrono::milliseconds later = std::chrono::hours(1)) const {
    AuditBook book(names, kPartitions);
    feed(book);
    return book.conclude(time_from_ms(now_ms) + later, kGrace);
  }

 private:
  [[nodiscard]] EventBase request_at(LogPosition position) {
    const auto decoded = decode(at(Topic::kImageRequests, position));
    return std::visit(
        [](const auto& event) -> EventBase {
          if constexpr (requires { event.request_id; }) return event;
          return {};
        },
        decoded.value().event);
  }

  std::map<std::pair<Topic, std::int32_t>, std::int64_t> next_;
};

// One sentence a finding, for failing assertions.
inline std::string told(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings.kept()) {
    text += std::string(name_of(finding.kind)) + " " + std::string(role_of(finding.topic).name) +
            " " + to_string(finding.position) + ": " + finding.detail + "\n";
  }
  return text;
}

}  // namespace thumb::auditor::testing
