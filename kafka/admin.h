// Port: questions about the cluster. Every call has a deadline and may block until then.
#pragma once

#include <chrono>
#include <map>
#include <span>

#include "kafka/types.h"

namespace thumb::kafka {

// Thread-safe. Errors: kUnavailable/"kafka-unavailable" or kTimeout/"kafka-timeout" (back off),
// kNotFound/"unknown-topic" and "unknown-partition" (never).
class Admin {
 public:
  virtual ~Admin() = default;
  [[nodiscard]] virtual Result<std::string> cluster_id(std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual Result<std::int32_t> partition_count(const std::string& topic,
                                                             std::chrono::milliseconds timeout) = 0;
  // Asks the partition's leader; never cached.
  [[nodiscard]] virtual Result<Watermarks> watermarks(const TopicPartition& tp,
                                                      std::chrono::milliseconds timeout) = 0;
  // The same of many partitions, which must all differ. An adapter that can asks for them at once.
  [[nodiscard]] virtual Result<std::map<TopicPartition, Watermarks>> watermarks_of(
      std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) {
    std::map<TopicPartition, Watermarks> marks;
    for (const auto& tp : partitions) {
      const auto found = watermarks(tp, timeout);
      if (!found) return tl::unexpected(found.error());
      marks[tp] = *found;
    }
    return marks;
  }
  // Offset of the first record with timestamp >= `time`; the high watermark if there is none.
  [[nodiscard]] virtual Result<std::int64_t> offset_for_time(const TopicPartition& tp, TimeMs time,
                                                             std::chrono::milliseconds timeout) = 0;
};

}  // namespace thumb::kafka
