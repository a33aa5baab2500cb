// librdkafka's in-process broker: answers with the errors that a test asks for.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>

#include "kafka/rd_handles.h"

// After rdkafka.h, which it needs.
#include <librdkafka/rdkafka_mock.h>

namespace thumb::kafka {

// Keys of the Kafka protocol.
enum class Api : std::int16_t {
  kProduce = 0,
  kListOffsets = 2,
  kInitProducerId = 22,
  kAddPartitionsToTxn = 24,
  kAddOffsetsToTxn = 25,
  kEndTxn = 26,
  kTxnOffsetCommit = 28,
};

class MockCluster {
 public:
  MockCluster();

  [[nodiscard]] ClusterConfig config() const;
  void make_topic(const std::string& name, int partitions);
  // The next requests of this kind fail so, one after the other.
  void fail_next(Api api, std::initializer_list<rd_kafka_resp_err_t> errors);
  void fail_always(Api api, rd_kafka_resp_err_t error);
  void heal(Api api);
  // The next request of this kind is answered well, and late.
  void delay_next(Api api, std::chrono::milliseconds delay);
  // Takes requests, but answers none within a test's patience.
  void hang();

 private:
  RdClient host_;
  std::unique_ptr<rd_kafka_mock_cluster_t, FreeWith<rd_kafka_mock_cluster_destroy>> cluster_;
};

}  // namespace thumb::kafka
