#include "mock_cluster.h"

#include <gtest/gtest.h>

#include <vector>

namespace thumb::kafka {

MockCluster::MockCluster()
    : host_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
      cluster_(rd_kafka_mock_cluster_new(host_.get(), 1)) {}

ClusterConfig MockCluster::config() const {
  return {rd_kafka_mock_cluster_bootstraps(cluster_.get()), "thumb-test", {}};
}

void MockCluster::make_topic(const std::string& name, int partitions) {
  ASSERT_EQ(rd_kafka_mock_topic_create(cluster_.get(), name.c_str(), partitions, 1),
            RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockCluster::fail_next(Api api, std::initializer_list<rd_kafka_resp_err_t> errors) {
  rd_kafka_mock_push_request_errors_array(cluster_.get(), static_cast<std::int16_t>(api),
                                          errors.size(), errors.begin());
}

void MockCluster::fail_always(Api api, rd_kafka_resp_err_t error) {
  const std::vector<rd_kafka_resp_err_t> errors(100'000, error);
  rd_kafka_mock_push_request_errors_array(cluster_.get(), static_cast<std::int16_t>(api),
                                          errors.size(), errors.data());
}

void MockCluster::heal(Api api) {
  rd_kafka_mock_clear_request_errors(cluster_.get(), static_cast<std::int16_t>(api));
}

void MockCluster::delay_next(Api api, std::chrono::milliseconds delay) {
  ASSERT_EQ(rd_kafka_mock_broker_push_request_error_rtts(cluster_.get(), 1,
                                                         static_cast<std::int16_t>(api), 1,
                                                         RD_KAFKA_RESP_ERR_NO_ERROR, to_rd(delay)),
            RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockCluster::hang() {
  constexpr int kLongMs = 120'000;
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, kLongMs);
}

}  // namespace thumb::kafka
