// A member of a consumer group over librdkafka's cooperative-sticky protocol.
//
// Records are taken one by one, not with rd_kafka_consume_batch_queue(): only so is it certain that
// none of them was fetched before a rebalance that the same poll served.
#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "kafka/clients.h"
#include "kafka/rd_assignment.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/rd_group.h"
#include "kafka/rd_record.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long close() waits for a first assignment: after the group was joined, and before.
constexpr milliseconds kAssignmentLimit{3'000};
constexpr milliseconds kJoinLimit{500};

class RdGroupConsumer;

// How the rebalance callback finds its consumer.
struct GroupContext : RdContext {
  RdGroupConsumer& consumer;
};

void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                  rd_kafka_topic_partition_list_t* partitions, void* opaque);

class RdGroupConsumer final : public GroupConsumer {
 public:
  RdGroupConsumer(RebalanceListener& listener, Log& log)
      : context_{{log}, *this}, listener_(listener) {}

  ~RdGroupConsumer() override { RdGroupConsumer::close(); }

  Result<void> start(const ClusterConfig& cluster, const GroupOptions& options) {
    auto settings = group_options(options);
    settings.on_rebalance = on_rebalance;
    auto client = make_client(RD_KAFKA_CONSUMER, cluster, settings, context_);
    if (!client) return tl::unexpected(client.error());
    client_ = std::move(*client);
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    const auto topics = to_rd(std::array{TopicPartition{options.topic, RD_KAFKA_PARTITION_UA}});
    const auto code = rd_kafka_subscribe(client_.get(), topics.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return tl::unexpected(to_error(code, "subscribe"));
  }

  Result<std::vector<InRecord>> poll(std::size_t max, milliseconds wait) override {
    if (closed_) {
      return fail(ErrorKind::kInternal, "consumer-closed", "the consumer is closed", "",
                  Retry::kFatal);
    }
    const auto deadline = steady_clock::now() + wait;
    gathered_.clear();
    while (!failure_ && gathered_.size() < max) {
      if (!take_one(gathered_.empty() ? deadline : steady_clock::now())) break;
    }
    if (failure_) return tl::unexpected(*failure_);
    return std::move(gathered_);
  }

  // The flag stays up until the next wait sees it, so no wake-up is lost. Not during close(): it
  // would end librdkafka's wait there, before the group is left.
  void wake() override {
    const std::lock_guard lock(wake_mutex_);
    if (!closed_) rd_kafka_queue_yield(queue_.get());
  }

  void pause_only(std::span<const TopicPartition> partitions) override {
    assignment_.pause_only(partitions);
  }

  Result<std::vector<PartitionOffset>> committed(std::span<const TopicPartition> partitions,
                                                 milliseconds timeout,
                                                 const std::stop_token& stop) override {
    return committed_offsets(client_.get(), partitions, timeout, stop);
  }

  Result<std::unique_ptr<GroupMetadata>> group_metadata() override {
    return member_metadata(client_.get());
  }

  // librdkafka would call back for the revocation only after it has left the group, when nothing
  // can be committed any more: so the listener is told first.
  void close() override {
    if (closed_ || !client_) return;
    {
      const std::lock_guard lock(wake_mutex_);
      closed_ = true;
    }
    let_go({assigned_.begin(), assigned_.end()});
    await_first_assignment();
    const auto code = rd_kafka_consumer_close(client_.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      context_.log.error("closing the consumer", to_error(code, "close"));
    }
  }

  // From the callback, on the polling thread.
  void rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& list) {
    ever_assigned_ = true;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      const auto partitions = to_partitions(list);
      note(assignment_.take(partitions, starts_of(partitions)));
    } else if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      let_go(to_partitions(list));
      note(assignment_.give_back(list));
    } else {
      // The protocol failed; librdkafka wants the assignment cleared and joins again.
      context_.log.error("rebalance", to_error(what, "rebalance"));
      rd_kafka_assign(client_.get(), nullptr);
    }
    rd_kafka_yield(client_.get());  // the caller looks at what has changed before it waits on
  }

  void rebalance_threw(std::string_view what) {
    failure_ = Error{ErrorKind::kInternal, Retry::kFatal, "rebalance-threw",
                     "handling a change of the assignment failed", std::string(what)};
  }

 private:
  // librdkafka before 2.3 aborts the process when a member goes between joining its group and its
  // first assignment (its issue 4312). A group that lets nobody join is not waited for: leaving it
  // is safe but for the moment in which it answers.
  void await_first_assignment() {
    const auto begun = steady_clock::now();
    while (!ever_assigned_ &&
           steady_clock::now() - begun < (group_metadata() ? kAssignmentLimit : kJoinLimit)) {
      const RdMessage ignored(rd_kafka_consumer_poll(client_.get(), 10));
    }
  }

  // False: nothing came in time, or the wait was ended (wake, rebalance).
  bool take_one(Deadline deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    const RdMessage message(rd_kafka_consumer_poll(client_.get(), to_rd(left)));
    if (!message) return false;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      handle_error(*message);
      return true;
    }
    auto record = owned(to_record(*message));
    if (assignment_.reads({record.topic, record.position.partition})) {
      gathered_.push_back(std::move(record));
    }
    return true;
  }

  void handle_error(const rd_kafka_message_t& message) {
    const std::string_view reason = rd_kafka_message_errstr(&message);
    if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
      failure_ = Error{ErrorKind::kNotFound, Retry::kFatal, "offset-out-of-range",
                       "the log does not hold the position to read from", std::string(reason)};
    } else if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      failure_ = to_error(RD_KAFKA_RESP_ERR__FATAL, "poll", reason);
    } else {
      context_.log.warn("group consumer",
                        {{"code", rd_kafka_err2name(message.err)}, {"detail", reason}});
    }
  }

  std::vector<PartitionOffset> starts_of(const std::vector<TopicPartition>& partitions) {
    if (failure_ || closed_ || partitions.empty()) return {};
    auto starts = listener_.on_assigned(partitions);
    if (starts) {
      assigned_.insert(partitions.begin(), partitions.end());
      return std::move(*starts);
    }
    failure_ = starts.error();
    failure_->retry = Retry::kFatal;
    return {};
  }

  // Tells the listener, of what it was given.
  void let_go(std::vector<TopicPartition> partitions) {
    std::erase_if(partitions, [this](const auto& tp) { return assigned_.erase(tp) == 0; });
    if (partitions.empty()) return;
    forget(partitions);
    // A revocation that waited for a poll until the member was put out of the group is none: there
    // librdkafka 2.0.2 does not say "lost".
    if (rd_kafka_assignment_lost(client_.get()) != 0 || !group_metadata()) {
      listener_.on_lost(partitions);
    } else {
      listener_.on_revoked(partitions);
    }
  }

  // What this very poll had gathered of them was read under the assignment that ends here.
  void forget(const std::vector<TopicPartition>& partitions) {
    assignment_.forget(partitions);
    std::erase_if(gathered_, [this](const InRecord& record) {
      return !assignment_.reads({record.topic, record.position.partition});
    });
  }

  void note(const Result<void>& rebalanced) {
    if (!rebalanced) failure_ = rebalanced.error();
  }

  GroupContext context_;
  RebalanceListener& listener_;
  RdClient client_;
  RdQueue queue_;  // dies before the client it belongs to
  RdAssignment assignment_{client_};
  std::set<TopicPartition> assigned_;  // what the listener has taken
  std::vector<InRecord> gathered_;
  std::optional<Error> failure_;
  bool ever_assigned_ = false;
  std::mutex wake_mutex_;
  bool closed_ = false;  // written under the mutex, by the polling thread only
};

void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t what,
                  rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* context = static_cast<GroupContext*>(static_cast<RdContext*>(opaque));
  try {
    context->consumer.rebalance(what, *partitions);
  } catch (const std::exception& error) {  // below is C code
    context->consumer.rebalance_threw(error.what());
  }
}

}  // namespace

Result<std::unique_ptr<GroupConsumer>> make_group_consumer(const ClusterConfig& cluster,
                                                           const GroupOptions& options,
                                                           RebalanceListener& listener, Log& log) {
  auto consumer = std::make_unique<RdGroupConsumer>(listener, log);
  if (auto started = consumer->start(cluster, options); !started) {
    return tl::unexpected(started.error());
  }
  return consumer;
}

}  // namespace thumb::kafka
