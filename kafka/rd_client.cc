// Configures handles and carries librdkafka's logs over into ours.
#include "kafka/rd_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace thumb::kafka {
namespace {

using Setting = std::pair<std::string, std::string>;

// What the guarantees rest on: an operator who sets one of these has mistaken something.
constexpr std::array<std::string_view, 22> kReserved = {
    "acks",
    "request.required.acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "metadata.broker.list",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "isolation.level",
    "partition.assignment.strategy",
    "partitioner",
    "session.timeout.ms",
    "max.poll.interval.ms",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
    "allow.auto.create.topics",
};

std::vector<Setting> shared_settings(const ClusterConfig& cluster) {
  return {
      {"bootstrap.servers", cluster.bootstrap},
      {"client.id", cluster.client_id},
      // The default backs off to 10 s: a restarted broker would be found that late.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      // A broker whose machine is gone refuses nothing, it is only silent: nothing but these finds
      // out (defaults 60 s, 30 s, 10 s). Above the 4 s that our brokers take to notice one of them,
      // since acks=all wait that long; below a producer's time-out, so that it tries once more.
      {"socket.timeout.ms", "6000"},
      {"socket.connection.setup.timeout.ms", "5000"},
      {"api.version.request.timeout.ms", "3000"},
      {"socket.nagle.disable", "true"},
      // An idle connection that the broker reaps is no event.
      {"log.connection.close", "false"},
  };
}

// Expected in every start on a fresh broker, and as often in clients that share one option string.
bool is_noise(std::string_view text) {
  return text.find("Coordinator load in progress") != std::string_view::npos ||
         text.find("COORDINATOR_LOAD_IN_PROGRESS") != std::string_view::npos ||
         text.find("property and will be ignored by this") != std::string_view::npos;
}

void on_log(const rd_kafka_t* client, int severity, const char* facility, const char* text) {
  constexpr int kSyslogError = 3;
  constexpr int kSyslogWarning = 4;
  constexpr int kSyslogDebug = 7;
  Log& log = static_cast<RdContext*>(rd_kafka_opaque(client))->log;
  const LogFields fields = {
      {"client", rd_kafka_name(client)}, {"facility", facility}, {"detail", text}};
  if (severity >= kSyslogDebug || is_noise(text)) {
    log.debug("kafka client", fields);
  } else if (severity <= kSyslogError && std::string_view(facility) != "FAIL") {
    log.error("kafka client", fields);
  } else if (severity <= kSyslogWarning) {  // a lost connection (FAIL) mends itself: a warning
    log.warn("kafka client", fields);
  } else {
    log.info("kafka client", fields);
  }
}

// Every error that matters to a caller reaches it through the call that failed; this is for
// operators. Single connections are logged by on_log already.
void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
  const auto& context = *static_cast<RdContext*>(opaque);
  Log& log = context.log;
  const auto err = static_cast<rd_kafka_resp_err_t>(code);
  if (context.on_error) context.on_error(err, reason);
  const LogFields fields = {
      {"client", rd_kafka_name(client)}, {"code", rd_kafka_err2name(err)}, {"detail", reason}};
  if (err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__RESOLVE ||
      is_noise(reason)) {
    log.debug("kafka client error", fields);
  } else {
    log.warn("kafka client error", fields);
  }
}

// The value is not repeated: it may be a password.
Result<void> apply(rd_kafka_conf_t* conf, const Setting& setting) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(conf, setting.first.c_str(), setting.second.c_str(), reason.data(),
                        reason.size()) == RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "bad-kafka-option",
              fmt::format("Kafka option '{}' is unknown or its value is not valid", setting.first));
}

Result<void> apply_override(rd_kafka_conf_t* conf, const Setting& setting) {
  if (std::ranges::find(kReserved, setting.first) != kReserved.end()) {
    return fail(ErrorKind::kInvalid, "reserved-kafka-option",
                fmt::format("Kafka option '{}' can't be set: a guarantee rests on its value",
                            setting.first));
  }
  return apply(conf, setting);
}

Result<void> apply_all(rd_kafka_conf_t* conf, const ClusterConfig& cluster,
                       const RdOptions& options) {
  for (const auto& setting : shared_settings(cluster)) {
    if (auto done = apply(conf, setting); !done) return done;
  }
  for (const auto& setting : options.settings) {
    if (auto done = apply(conf, setting); !done) return done;
  }
  for (const auto& [name, value] : cluster.overrides) {
    if (auto done = apply_override(conf, {name, value}); !done) return done;
  }
  return {};
}

}  // namespace

Result<RdClient> make_client(rd_kafka_type_t type, const ClusterConfig& cluster,
                             const RdOptions& options, RdContext& context) {
  RdConf conf(rd_kafka_conf_new());
  if (auto done = apply_all(conf.get(), cluster, options); !done) {
    return tl::unexpected(done.error());
  }
  rd_kafka_conf_set_opaque(conf.get(), &context);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (options.on_delivery != nullptr) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), options.on_delivery);
  }
  if (options.on_rebalance != nullptr) {
    rd_kafka_conf_set_rebalance_cb(conf.get(), options.on_rebalance);
  }
  std::array<char, 512> reason{};
  RdClient client(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (!client) {
    return fail(ErrorKind::kInvalid, "bad-kafka-option",
                "the Kafka client refuses its options together", reason.data());
  }
  std::ignore = conf.release();  // rd_kafka_new() owns the configuration once it succeeds
  return client;
}

bool learn_topic(rd_kafka_t* client, const std::string& topic) {
  constexpr int kLimitMs = 500;
  const RdTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  if (!handle ||
      rd_kafka_metadata(client, 0, handle.get(), &answer, kLimitMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return false;
  }
  const RdMetadata metadata(answer);
  return true;
}

}  // namespace thumb::kafka
