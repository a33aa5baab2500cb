// Words that the ports of this layer share. No librdkafka type appears in a public header.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/log_position.h"
#include "platform/result.h"

namespace thumb::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// An offset of a partition: of the next record to read (positions, commits) unless said otherwise.
struct PartitionOffset {
  TopicPartition tp;
  std::int64_t offset = 0;
  friend bool operator==(const PartitionOffset&, const PartitionOffset&) = default;
};

// [low, high): the records that exist; `high` is the offset the next record will get.
struct Watermarks {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

// How to reach the cluster; the same for every client of a process.
struct ClusterConfig {
  std::string bootstrap = "127.0.0.1:9092";
  std::string client_id = "thumbstream";
  // Passed to librdkafka as they are, last (security.protocol, sasl.*, ...). Values are secret, and
  // appear in no error and no log. Those that a guarantee rests on (acks, isolation.level, ...) are
  // refused: "reserved-kafka-option".
  std::map<std::string, std::string> overrides;
};

// Opaque identity of a group member, to be sent along with offsets in a transaction (KIP-447).
class GroupMetadata {
 public:
  virtual ~GroupMetadata() = default;
};

}  // namespace thumb::kafka
