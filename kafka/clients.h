// Makes the librdkafka adapters of this layer's ports. Only a `main` (and a test) includes this.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "kafka/transactional_producer.h"
#include "platform/log.h"

namespace thumb::kafka {

struct ProducerOptions {
  // After this the caller is told kTimeout. Default 10 s (guarantee 1).
  std::chrono::milliseconds delivery_timeout{10'000};
  // How long to wait for company before sending. 0 = at once.
  std::chrono::milliseconds linger{1};
};

// A producer with a fatal error replaces itself; records in flight then report kUnavailable.
[[nodiscard]] Result<std::unique_ptr<Producer>> make_producer(const ClusterConfig& cluster,
                                                              const ProducerOptions& options,
                                                              Log& log);

struct TransactionOptions {
  std::string transactional_id;  // unique per process: fencing goes by group metadata (KIP-447)
  // After this the broker aborts what a killed process left open; readers stall that long.
  std::chrono::milliseconds transaction_timeout{10'000};
};

// Blocks up to 30 s for the broker's answer (init_transactions); a `stop` ends the wait within
// moments. Errors: kTimeout (back off), also after a stop; those of the cluster.
[[nodiscard]] Result<std::unique_ptr<TransactionalProducer>> make_transactional_producer(
    const ClusterConfig& cluster, const TransactionOptions& options, Log& log,
    const std::stop_token& stop = {});

struct GroupOptions {
  std::string group_id;
  std::string topic;
  std::chrono::milliseconds session_timeout{10'000};
  std::chrono::milliseconds max_poll_interval{300'000};
};

// `listener` must outlive the consumer. Cooperative-sticky; never commits by itself; a partition
// without a start given by the listener is never read (auto.offset.reset=error).
[[nodiscard]] Result<std::unique_ptr<GroupConsumer>> make_group_consumer(
    const ClusterConfig& cluster, const GroupOptions& options, RebalanceListener& listener,
    Log& log);

struct ReaderOptions {
  // Upper bound of what is fetched ahead, in bytes, over all partitions.
  std::size_t queue_bytes = 64ULL * 1024 * 1024;
  // How long the broker waits for a record before it says that there is none: so long it takes to
  // be told of an end.
  std::chrono::milliseconds fetch_wait{100};
};

[[nodiscard]] Result<std::unique_ptr<PartitionReader>> make_partition_reader(
    const ClusterConfig& cluster, const ReaderOptions& options, Log& log);

[[nodiscard]] Result<std::unique_ptr<Admin>> make_admin(const ClusterConfig& cluster, Log& log);

}  // namespace thumb::kafka
