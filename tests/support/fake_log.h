// A log in memory behind the ports that read it, with what a real one does to a reader: ends,
// control records, lost beginnings, other clusters.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "schemas/codec.h"
#include "tests/support/record_views.h"

namespace thumb::testing {

// Thread-safe.
class FakeLog final : public kafka::Admin {
 public:
  explicit FakeLog(std::int32_t partitions = 2) : partitions_(partitions) {}

  [[nodiscard]] const TopicNames& names() const { return names_; }

  LogPosition append(const Event& event, std::int32_t partition, std::int64_t ms) {
    auto out = encode(event, {time_from_ms(ms), "/thumbstream/test", std::nullopt}, names_);
    return append(topic_of(event),
                  {out.topic, {}, time_from_ms(ms), out.key, out.value, out.headers}, partition);
  }

  LogPosition append_garbage(Topic topic, std::int32_t partition) {
    return append(topic, {names_.of(topic), {}, time_from_ms(1), "key", "not an event", {}},
                  partition);
  }

  // What a finished transaction leaves behind: an offset that no record shows.
  void append_control(Topic topic, std::int32_t partition) {
    const std::lock_guard lock(mutex_);
    log_[{names_.of(topic), partition}].emplace_back();
  }

  void set_cluster_id(std::string id) {
    const std::lock_guard lock(mutex_);
    cluster_id_ = std::move(id);
  }
  void set_partitions(std::int32_t partitions) {
    const std::lock_guard lock(mutex_);
    partitions_ = partitions;
  }
  // Retention removes what is below `low`.
  void set_low(Topic topic, std::int32_t partition, std::int64_t low) {
    const std::lock_guard lock(mutex_);
    low_[{names_.of(topic), partition}] = low;
  }
  // The cluster was made anew.
  void clear() {
    const std::lock_guard lock(mutex_);
    log_.clear();
    low_.clear();
  }
  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }

  Result<std::string> cluster_id(std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    if (away_) return fail_transient(ErrorKind::kUnavailable, "kafka-unavailable", "away");
    return cluster_id_;
  }
  Result<std::int32_t> partition_count(const std::string&, std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    return partitions_;
  }
  Result<kafka::Watermarks> watermarks(const kafka::TopicPartition& tp,
                                       std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    return kafka::Watermarks{low_[tp], static_cast<std::int64_t>(log_[tp].size())};
  }
  Result<std::int64_t> offset_for_time(const kafka::TopicPartition&, TimeMs,
                                       std::chrono::milliseconds) override {
    return fail(ErrorKind::kUnsupported, "unsupported", "not asked for by the projector");
  }

  // The records from `offset` on, at most `max`; sets `offset` past what was looked at.
  Result<std::vector<InRecord>> read(const kafka::TopicPartition& tp, std::int64_t& offset,
                                     std::size_t max) {
    const std::lock_guard lock(mutex_);
    const auto& records = log_[tp];
    if (offset < low_[tp] || offset > static_cast<std::int64_t>(records.size())) {
      return fail(ErrorKind::kNotFound, "offset-out-of-range", "not in the log");
    }
    std::vector<InRecord> found;
    for (; offset < static_cast<std::int64_t>(records.size()) && found.size() < max; ++offset) {
      const auto& record = records[static_cast<std::size_t>(offset)];
      if (record) found.push_back(*record);
    }
    return found;
  }

 private:
  LogPosition append(Topic topic, InRecord record, std::int32_t partition) {
    const std::lock_guard lock(mutex_);
    auto& records = log_[{names_.of(topic), partition}];
    record.position = {partition, static_cast<std::int64_t>(records.size())};
    records.emplace_back(record);
    return record.position;
  }

  mutable std::mutex mutex_;
  TopicNames names_;
  std::string cluster_id_ = "cluster-a";
  std::int32_t partitions_;
  bool away_ = false;
  std::map<kafka::TopicPartition, std::vector<std::optional<InRecord>>> log_;
  std::map<kafka::TopicPartition, std::int64_t> low_;
};

// Reads a FakeLog one partition a poll, in turn.
class FakePartitionReader final : public kafka::PartitionReader {
 public:
  explicit FakePartitionReader(FakeLog& log) : log_(log) {}

  // Called by a poll that found nothing new, instead of waiting.
  std::function<void()> on_idle = [] {};
  // Called before each poll.
  std::function<void()> on_poll = [] {};
  std::size_t max_batch = 1'000;

  Result<void> assign(std::span<const kafka::PartitionOffset> starts) override {
    places_.clear();
    for (const auto& start : starts) places_.push_back({start.tp, start.offset, false});
    return {};
  }

  Result<kafka::ReadBatch> poll(std::size_t max, std::chrono::milliseconds) override {
    on_poll();
    kafka::ReadBatch batch;
    for (std::size_t tried = 0; tried < places_.size(); ++tried) {
      auto& place = places_[turn_++ % places_.size()];
      const auto before = place.offset;
      auto records = log_.read(place.tp, place.offset, std::min(max, max_batch));
      if (!records) return Failure(std::move(records.error()));
      batch = batch_of(std::move(*records));
      if (batch.records.size() < std::min(max, max_batch) &&
          (place.offset != before || !place.end_told)) {
        batch.ends.push_back({place.tp, place.offset});
        place.end_told = true;
      }
      if (!batch.records.empty() || !batch.ends.empty()) return batch;
    }
    on_idle();
    return batch;
  }

 private:
  struct Place {
    kafka::TopicPartition tp;
    std::int64_t offset = 0;
    bool end_told = false;
  };

  FakeLog& log_;
  std::vector<Place> places_;
  std::size_t turn_ = 0;
};

}  // namespace thumb::testing
