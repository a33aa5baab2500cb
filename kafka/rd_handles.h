// Owners of librdkafka's handles: each is freed once, by its own function. Internal to this layer.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "kafka/types.h"

namespace thumb::kafka {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using RdClient = std::unique_ptr<rd_kafka_t, FreeWith<rd_kafka_destroy>>;
using RdConf = std::unique_ptr<rd_kafka_conf_t, FreeWith<rd_kafka_conf_destroy>>;
using RdQueue = std::unique_ptr<rd_kafka_queue_t, FreeWith<rd_kafka_queue_destroy>>;
using RdEvent = std::unique_ptr<rd_kafka_event_t, FreeWith<rd_kafka_event_destroy>>;
using RdError = std::unique_ptr<rd_kafka_error_t, FreeWith<rd_kafka_error_destroy>>;
using RdMessage = std::unique_ptr<rd_kafka_message_t, FreeWith<rd_kafka_message_destroy>>;
using RdHeaders = std::unique_ptr<rd_kafka_headers_t, FreeWith<rd_kafka_headers_destroy>>;
using RdTopic = std::unique_ptr<rd_kafka_topic_t, FreeWith<rd_kafka_topic_destroy>>;
using RdMetadata = std::unique_ptr<const rd_kafka_metadata_t, FreeWith<rd_kafka_metadata_destroy>>;
using RdPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                     FreeWith<rd_kafka_topic_partition_list_destroy>>;
using RdGroupMetadataHandle = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                              FreeWith<rd_kafka_consumer_group_metadata_destroy>>;

[[nodiscard]] RdPartitions to_rd(std::span<const PartitionOffset> offsets);
[[nodiscard]] RdPartitions to_rd(std::span<const TopicPartition> partitions);
[[nodiscard]] std::vector<TopicPartition> to_partitions(
    const rd_kafka_topic_partition_list_t& list);

// librdkafka takes milliseconds as int.
[[nodiscard]] int to_rd(std::chrono::milliseconds timeout);

// The librdkafka side of the opaque identity; TransactionalProducer looks inside.
class RdGroupMetadata final : public GroupMetadata {
 public:
  explicit RdGroupMetadata(RdGroupMetadataHandle handle) : handle_(std::move(handle)) {}
  [[nodiscard]] const rd_kafka_consumer_group_metadata_t* get() const { return handle_.get(); }

 private:
  RdGroupMetadataHandle handle_;
};

}  // namespace thumb::kafka
