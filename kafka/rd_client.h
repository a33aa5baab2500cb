// Makes librdkafka handles: one place for what all clients share (addresses, reconnects, logs).
// Internal to this layer.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/rd_handles.h"
#include "platform/log.h"

namespace thumb::kafka {

// What librdkafka's callbacks get as their opaque. An adapter that needs more derives from it. Must
// outlive the handle.
struct RdContext {
  Log& log;
  // Errors that belong to no call, besides being logged; from within the poll functions. Must not
  // throw.
  std::function<void(rd_kafka_resp_err_t, std::string_view reason)> on_error = {};
};

struct RdOptions {
  std::vector<std::pair<std::string, std::string>> settings;
  // Called from within the poll functions, with the RdContext as opaque. Must not throw.
  void (*on_delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr;
  void (*on_rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*,
                       void*) = nullptr;
};

// For producers. librdkafka makes a new compressor for every batch; at its default level (3) one
// takes 0.8 MB that is cleared first, a fifth of a processor's CPU, at this level an eighth of it.
inline constexpr const char* kZstdLevel = "1";

// Contacts nobody yet. Errors: kInvalid/"bad-kafka-option" (never),
// kInvalid/"reserved-kafka-option" (never): an override that would break a guarantee of this layer.
[[nodiscard]] Result<RdClient> make_client(rd_kafka_type_t type, const ClusterConfig& cluster,
                                           const RdOptions& options, RdContext& context);

// Asks for the partitions of a topic that a client was just given its first record for, or told to
// read. Left to itself librdkafka 2.0.2 does so by a timer, and everything waits up to 1 s. Failing
// (false, after 0.5 s at most) costs only that.
bool learn_topic(rd_kafka_t* client, const std::string& topic);

}  // namespace thumb::kafka
