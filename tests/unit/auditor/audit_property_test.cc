// Any valid history is clean; any valid history with one thing wrong is not.
#include <gtest/gtest.h>

#include "tests/support/rapidcheck_gtest.h"
#include "tests/unit/auditor/history.h"

namespace thumb::auditor {
namespace {

using testing::History;
using testing::kPartitions;
using testing::told;

// A history that grows by what may happen next, in any order that the pipeline allows.
class Pipeline {
 public:
  History history;

  void step() {
    switch (*rc::gen::weightedElement<int>(
        {{4, 0}, {3, 1}, {1, 2}, {1, 3}, {2, 4}, {12, 5}, {1, 6}, {1, 7}})) {
      case 0:
        return upload();
      case 1:
        return published(history.ask_again(any_image(), next_request_++));
      case 2:
        return remove();
      case 3:
        return published(history.garbage("key " + std::to_string(*rc::gen::inRange(0, 9))));
      case 4:
        return repeat();
      case 5:
        return work();
      case 6:
        return send_again();
      default:
        history.now_ms += *rc::gen::inRange<std::int64_t>(0, 20 * 60'000L);
    }
  }
  void finish() {
    while (!waiting_.empty()) work();
  }

 private:
  [[nodiscard]] std::uint8_t any_image() {
    if (images_ == 0) upload();
    return *rc::gen::inRange<std::uint8_t>(1, static_cast<std::uint8_t>(images_ + 1));
  }
  void upload() {
    if (images_ < 60) published(history.upload(++images_));
  }
  void remove() {
    const auto image = any_image();
    const auto position = history.remove_image(image, next_request_++);
    removed_.try_emplace(image_of(position), position.offset);
    published(position);
  }
  // Only what is young enough to be recognised.
  void repeat() {
    const auto& records = history.records[Topic::kImageRequests];
    if (records.empty()) return;
    const auto& record = *rc::gen::elementOf(records);
    if (!decode(record)) return;
    if (time_from_ms(history.now_ms + 1'000) - record.timestamp > kRepeatWindow) return;
    history.repeat(Topic::kImageRequests, record.position);
  }
  void send_again() {
    if (letters_.empty()) return;
    const auto letter = letters_.back();
    letters_.pop_back();
    published(history.send_again(letter));
  }
  void published(LogPosition position) { waiting_[position.partition].push_back(position.offset); }
  [[nodiscard]] std::string image_of(LogPosition position) {
    return history.at(Topic::kImageRequests, position).key;
  }

  // The next record of any partition is worked on.
  void work() {
    if (waiting_.empty()) return;
    const auto partitions =
        *rc::gen::elementOf(std::vector<std::pair<std::int32_t, std::vector<std::int64_t>>>(
            waiting_.begin(), waiting_.end()));
    const LogPosition position{partitions.first, partitions.second.front()};
    auto& line = waiting_[position.partition];
    line.erase(line.begin());
    if (line.empty()) waiting_.erase(position.partition);

    const auto decoded = decode(history.at(Topic::kImageRequests, position));
    if (!decoded) return letters_.push_back(history.bury(position));
    if (std::holds_alternative<ImageDeleted>(decoded->event)) return;
    if (*rc::gen::arbitrary<bool>()) history.start(position);
    const auto removed = removed_.find(image_of(position));
    const bool gone = removed != removed_.end() && removed->second < position.offset;
    if (gone || *rc::gen::inRange(0, 4) == 0) {
      history.fail(position);
    } else {
      history.complete(position);
    }
  }

  std::uint8_t images_ = 0;
  std::uint8_t next_request_ = 1;
  std::map<std::int32_t, std::vector<std::int64_t>> waiting_;
  std::map<std::string, std::int64_t> removed_;  // by image: the first deletion's offset
  std::vector<LogPosition> letters_;
};

History any_history() {
  Pipeline pipeline;
  const auto steps = *rc::gen::inRange(0, 50);
  for (int i = 0; i < steps; ++i) pipeline.step();
  pipeline.finish();
  return pipeline.history;
}

constexpr Topic kEndTopics[] = {Topic::kThumbnailCompleted, Topic::kThumbnailFailed,
                                Topic::kImageRequestsDlq};

// One end of any kind. Discards the case if there is none.
InRecord any_end(History& history) {
  std::vector<InRecord> ends;
  for (const auto topic : kEndTopics) {
    const auto& of_topic = history.records[topic];
    ends.insert(ends.end(), of_topic.begin(), of_topic.end());
  }
  RC_PRE(!ends.empty());
  return *rc::gen::elementOf(ends);
}

Topic topic_of(const History& history, const InRecord& record) {
  return history.names.find(record.topic).value();
}

void break_it(History& history, int how) {
  const InRecord end = any_end(history);
  const Topic topic = topic_of(history, end);
  switch (how) {
    case 0:  // lost
      return history.remove(topic, end.position);
    case 1:  // doubled
      history.repeat(topic, end.position);
      return;
    case 2: {  // its request is lost
      const auto decoded = decode(end);
      auto request = LogPosition();
      if (const auto origin = origin_of(end.headers)) {
        request = origin->position;
      } else if (const auto* done = std::get_if<ThumbnailCompleted>(&decoded->event)) {
        request = done->request;
      } else {
        request = std::get<ThumbnailFailed>(decoded->event).request;
      }
      return history.remove(Topic::kImageRequests, request);
    }
    case 3: {  // cut short
      auto& record = history.at(topic, end.position);
      record.value = record.value->substr(0, record.value->size() / 2);
      return;
    }
    case 4: {  // elsewhere
      RC_PRE(topic != Topic::kImageRequestsDlq);
      auto& record = history.at(topic, end.position);
      record.position = {(end.position.partition + 1) % kPartitions, 100'000};
      return;
    }
    case 5: {  // with the key of another
      auto& record = history.at(topic, end.position);
      record.key = thumb::testing::image_id(200).str();
      return;
    }
    default: {  // made again under another request id
      const auto& requests = history.records[Topic::kImageRequests];
      const auto& request = *rc::gen::elementOf(requests);
      history.append(thumb::testing::failed(thumb::testing::image_id(1),
                                            thumb::testing::request_id(250), request.position));
    }
  }
}

TEST(AuditProperty, AnyValidHistoryIsClean) {
  thumb::testing::check_property([] {
    const auto history = any_history();
    const auto findings = history.audit();
    RC_LOG() << told(findings);
    RC_ASSERT(findings.count(Severity::kError) == 0U);
  });
}

TEST(AuditProperty, AnySingleFaultIsFound) {
  thumb::testing::check_property([] {
    auto history = any_history();
    const int how = *rc::gen::inRange(0, 7);
    RC_LOG() << "fault " << how;
    break_it(history, how);
    RC_ASSERT(history.audit().count(Severity::kError) > 0U);
  });
}

TEST(AuditProperty, TheOrderBetweenPartitionsDoesNotMatter) {
  thumb::testing::check_property(
      [] {
        const auto history = any_history();
        AuditBook one(history.names, kPartitions);
        AuditBook other(history.names, kPartitions);
        history.feed(one);
        for (const auto& [topic, records] : history.records) {
          for (const auto& record : records) other.add(record);  // as they were appended
        }
        RC_ASSERT(one.counts().completed == other.counts().completed);
        RC_ASSERT(one.counts().repeats == other.counts().repeats);
        RC_ASSERT(one.open() == other.open());
        RC_ASSERT(one.blobs().distinct().size() == other.blobs().distinct().size());
      },
      200);
}

}  // namespace
}  // namespace thumb::auditor
