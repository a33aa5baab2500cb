// Conversions between this layer's words and librdkafka's lists.
#include "kafka/rd_handles.h"

#include <algorithm>
#include <limits>

namespace thumb::kafka {

RdPartitions to_rd(std::span<const PartitionOffset> offsets) {
  RdPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [tp, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), tp.topic.c_str(), tp.partition)->offset = offset;
  }
  return list;
}

RdPartitions to_rd(std::span<const TopicPartition> partitions) {
  RdPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto& tp : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), tp.topic.c_str(), tp.partition);
  }
  return list;
}

std::vector<TopicPartition> to_partitions(const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> partitions;
  for (const auto& element : std::span(list.elems, static_cast<std::size_t>(list.cnt))) {
    partitions.push_back({element.topic, element.partition});
  }
  return partitions;
}

int to_rd(std::chrono::milliseconds timeout) {
  using Count = std::chrono::milliseconds::rep;
  return static_cast<int>(std::clamp<Count>(timeout.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace thumb::kafka
