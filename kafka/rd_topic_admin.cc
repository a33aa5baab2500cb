// Topics over librdkafka's admin API: one request, one event with the answer.
#include <fmt/format.h>

#include <array>

#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/topic_admin.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using RdNewTopic = std::unique_ptr<rd_kafka_NewTopic_t, FreeWith<rd_kafka_NewTopic_destroy>>;
using RdResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, FreeWith<rd_kafka_ConfigResource_destroy>>;
using RdAdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, FreeWith<rd_kafka_AdminOptions_destroy>>;

// Longer than the request itself, so that librdkafka's own time-out speaks first.
constexpr milliseconds kAnswerMargin{1'000};

milliseconds left(Deadline deadline) {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
}

template <typename Owner>
auto raw_pointers(const std::vector<Owner>& owners) {
  std::vector<typename Owner::pointer> raw;
  for (const auto& owner : owners) raw.push_back(owner.get());
  return raw;
}

bool is_unknown(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

// Between its creation and the election of its leaders a topic is not there yet.
bool is_ready(const rd_kafka_metadata_topic_t& topic) {
  if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR || topic.partition_cnt == 0) return false;
  for (const auto& partition :
       std::span(topic.partitions, static_cast<std::size_t>(topic.partition_cnt))) {
    if (partition.leader < 0) return false;
  }
  return true;
}

class RdTopicAdmin final : public TopicAdmin {
 public:
  explicit RdTopicAdmin(Log& log) : context_{log} {}

  Result<void> start(const ClusterConfig& cluster) {
    auto client = make_client(RD_KAFKA_CONSUMER, cluster, {}, context_);
    if (!client) return tl::unexpected(client.error());
    client_ = std::move(*client);
    return {};
  }

  Result<std::map<std::string, TopicState>> describe(std::span<const std::string> names,
                                                     milliseconds timeout) override {
    const auto deadline = steady_clock::now() + timeout;
    std::map<std::string, TopicState> found;
    for (const auto& name : names) {
      if (auto looked = look_up(name, found, left(deadline)); !looked) {
        return tl::unexpected(looked.error());
      }
    }
    if (found.empty()) return found;
    if (auto read = read_configs(found, left(deadline)); !read) {
      return tl::unexpected(read.error());
    }
    return found;
  }

  Result<void> create(std::span<const TopicSpec> topics, milliseconds timeout) override {
    std::vector<RdNewTopic> wanted;
    for (const auto& topic : topics) {
      auto made = to_new_topic(topic);
      if (!made) return tl::unexpected(made.error());
      wanted.push_back(std::move(*made));
    }
    auto raw = raw_pointers(wanted);
    const auto event =
        ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout, [&](auto* options, auto* queue) {
          rd_kafka_CreateTopics(client_.get(), raw.data(), raw.size(), options, queue);
        });
    if (!event) return tl::unexpected(event.error());
    std::size_t count = 0;
    const auto* const* results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event->get()), &count);
    for (const auto* result : std::span(results, count)) {
      const auto code = rd_kafka_topic_result_error(result);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        continue;
      }
      return tl::unexpected(refusal(*result));
    }
    return {};
  }

 private:
  // Sends a request and waits for its event.
  template <typename Request>
  Result<RdEvent> ask(rd_kafka_admin_op_t operation, milliseconds timeout, const Request& request) {
    const RdQueue queue(rd_kafka_queue_new(client_.get()));
    const RdAdminOptions options(rd_kafka_AdminOptions_new(client_.get(), operation));
    std::array<char, 256> reason{};
    // Can only fail for a time-out out of range, which to_rd() excludes but for an hour's limit.
    rd_kafka_AdminOptions_set_request_timeout(options.get(),
                                              to_rd(std::min(timeout, milliseconds(3'600'000))),
                                              reason.data(), reason.size());
    request(options.get(), queue.get());
    RdEvent event(rd_kafka_queue_poll(queue.get(), to_rd(timeout + kAnswerMargin)));
    if (!event) return tl::unexpected(to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "admin request"));
    const auto code = rd_kafka_event_error(event.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    return tl::unexpected(
        to_error(code, "admin request", rd_kafka_event_error_string(event.get())));
  }

  // Adds the topic's shape to `found`, if there is such a topic and it is ready.
  Result<void> look_up(const std::string& name, std::map<std::string, TopicState>& found,
                       milliseconds timeout) {
    const RdTopic handle(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    if (!handle) return tl::unexpected(to_error(rd_kafka_last_error(), "topic", name));
    const rd_kafka_metadata_t* answer = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 0, handle.get(), &answer, to_rd(timeout));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(to_error(code, "metadata", name));
    }
    const RdMetadata metadata(answer);
    if (metadata->topic_cnt != 1 || !is_ready(metadata->topics[0])) return {};
    const auto& topic = metadata->topics[0];
    found[name] = {name, topic.partition_cnt, topic.partitions[0].replica_cnt, {}};
    return {};
  }

  Result<void> read_configs(std::map<std::string, TopicState>& topics, milliseconds timeout) {
    std::vector<RdResource> resources;
    for (const auto& [name, state] : topics) {
      resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    }
    auto raw = raw_pointers(resources);
    const auto event =
        ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout, [&](auto* options, auto* queue) {
          rd_kafka_DescribeConfigs(client_.get(), raw.data(), raw.size(), options, queue);
        });
    if (!event) return tl::unexpected(event.error());
    std::size_t count = 0;
    const auto* const* results = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    for (const auto* resource : std::span(results, count)) {
      const std::string name = rd_kafka_ConfigResource_name(resource);
      const auto code = rd_kafka_ConfigResource_error(resource);
      if (is_unknown(code)) {  // deleted in between
        topics.erase(name);
      } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return tl::unexpected(to_error(code, "describe configs", name));
      } else {
        topics.at(name).config = config_of(*resource);
      }
    }
    return {};
  }

  static std::map<std::string, std::string> config_of(const rd_kafka_ConfigResource_t& resource) {
    std::map<std::string, std::string> config;
    std::size_t count = 0;
    const auto* const* entries = rd_kafka_ConfigResource_configs(&resource, &count);
    for (const auto* entry : std::span(entries, count)) {
      const char* value = rd_kafka_ConfigEntry_value(entry);
      config.emplace(rd_kafka_ConfigEntry_name(entry), value == nullptr ? "" : value);
    }
    return config;
  }

  static Result<RdNewTopic> to_new_topic(const TopicSpec& topic) {
    std::array<char, 256> reason{};
    RdNewTopic made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                          topic.replication_factor, reason.data(), reason.size()));
    if (!made) return refused(topic.name, reason.data());
    for (const auto& [name, value] : topic.config) {
      if (rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str()) !=
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(topic.name, name);
      }
    }
    return made;
  }

  static Failure refused(std::string_view topic, std::string_view reason) {
    return fail(ErrorKind::kInvalid, "topic-refused",
                fmt::format("topic {} can't be created: {}", topic, reason));
  }

  static Error refusal(const rd_kafka_topic_result_t& result) {
    const auto code = rd_kafka_topic_result_error(&result);
    const char* name = rd_kafka_topic_result_name(&result);
    const char* reason = rd_kafka_topic_result_error_string(&result);
    auto error = to_error(code, "create topic", name);
    if (error.kind == ErrorKind::kTimeout) return error;
    return refused(name, reason == nullptr ? rd_kafka_err2str(code) : reason).value();
  }

  RdContext context_;
  RdClient client_;
};

}  // namespace

Result<std::unique_ptr<TopicAdmin>> make_topic_admin(const ClusterConfig& cluster, Log& log) {
  auto admin = std::make_unique<RdTopicAdmin>(log);
  if (auto started = admin->start(cluster); !started) return tl::unexpected(started.error());
  return admin;
}

}  // namespace thumb::kafka
