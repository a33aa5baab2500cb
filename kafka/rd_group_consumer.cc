// A member of a consumer group over librdkafka's cooperative-sticky protocol.
//
// Records are taken one by one, not with rd_kafka_consume_batch_queue(): only so is it certain that
// none of them was fetched before a rebalance that the same poll served.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <set>

#include "kafka/clients.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/rd_record.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Members learn of a rebalance by their heartbeats; a cooperative one takes two rounds.
constexpr milliseconds kHeartbeat{1'000};

// How long close() waits for a first assignment: after the group was joined, and before.
constexpr milliseconds kAssignmentLimit{3'000};
constexpr milliseconds kJoinLimit{500};

// How long one question to the coordinator takes at most, as socket.timeout.ms has it. Nothing can
// end the library's wait for the answer, so a longer one is made of these.
constexpr milliseconds kQuestionLimit{3'000};

class RdGroupConsumer;

// How the rebalance callback finds its consumer.
struct GroupContext : RdContext {
  RdGroupConsumer& consumer;
};

void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                  rd_kafka_topic_partition_list_t* partitions, void* opaque);

// The library has no accessors; this reads what rd_kafka_consumer_group_metadata_write() makes of
// the metadata: a magic, the generation, then group id and member id, each ending in NUL. Fails
// closed should another version write it otherwise.
bool is_member(const rd_kafka_consumer_group_metadata_t& metadata) {
  constexpr std::string_view kMagic = "CGMDv2:";
  void* data = nullptr;
  std::size_t size = 0;
  const RdError error(rd_kafka_consumer_group_metadata_write(&metadata, &data, &size));
  if (error) return false;
  const std::string text(static_cast<const char*>(data), size);
  rd_kafka_mem_free(nullptr, data);
  std::int32_t generation = -1;
  if (!text.starts_with(kMagic) || size < kMagic.size() + sizeof generation) return false;
  std::memcpy(&generation, text.data() + kMagic.size(), sizeof generation);
  const auto group_end = text.find('\0', kMagic.size() + sizeof generation);
  const bool has_member_id =
      group_end != std::string::npos && group_end + 1 < size && text[group_end + 1] != '\0';
  return generation >= 0 && has_member_id;
}

RdOptions group_options(const GroupOptions& options) {
  const auto heartbeat = std::min<milliseconds>(kHeartbeat, options.session_timeout / 3);
  return {
      .settings =
          {
              {"group.id", options.group_id},
              {"partition.assignment.strategy", "cooperative-sticky"},
              {"session.timeout.ms", std::to_string(options.session_timeout.count())},
              {"heartbeat.interval.ms", std::to_string(heartbeat.count())},
              {"max.poll.interval.ms", std::to_string(options.max_poll_interval.count())},
              {"enable.auto.commit", "false"},
              {"enable.auto.offset.store", "false"},
              {"auto.offset.reset", "error"},
              {"isolation.level", "read_committed"},
              // A new record ends the wait at once; a partition that is new to this member waits
              // for it to end.
              {"fetch.wait.max.ms", "100"},
              {"fetch.error.backoff.ms", "50"},
              // A coordinator that fell silent is left in time to find the next one before the
              // session ends; a fetch is little enough for a slow link to bring meanwhile.
              {"socket.timeout.ms", std::to_string(kQuestionLimit.count())},
              {"fetch.max.bytes", "1048576"},
              // Work, not throughput: what is fetched ahead is memory, and is fetched again by the
              // next owner. Past a limit 2.0.2 stops fetching for 1 s, so not too little either.
              {"queued.min.messages", "10000"},
              {"queued.max.messages.kbytes", "16384"},
          },
      .on_rebalance = on_rebalance};
}

class RdGroupConsumer final : public GroupConsumer {
 public:
  RdGroupConsumer(RebalanceListener& listener, Log& log)
      : context_{{log}, *this}, listener_(listener) {}

  ~RdGroupConsumer() override { RdGroupConsumer::close(); }

  Result<void> start(const ClusterConfig& cluster, const GroupOptions& options) {
    auto client = make_client(RD_KAFKA_CONSUMER, cluster, group_options(options), context_);
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
    std::vector<TopicPartition> fresh;
    for (const auto& tp : partitions) {
      if (readable_.contains(tp) && !paused_.contains(tp)) fresh.push_back(tp);
    }
    std::vector<TopicPartition> over;
    for (const auto& tp : paused_) {
      if (std::ranges::find(partitions, tp) == partitions.end()) over.push_back(tp);
    }
    resume(over);
    if (fresh.empty()) return;
    rd_kafka_pause_partitions(client_.get(), to_rd(fresh).get());
    paused_.insert(fresh.begin(), fresh.end());
  }

  Result<std::vector<PartitionOffset>> committed(std::span<const TopicPartition> partitions,
                                                 milliseconds timeout,
                                                 const std::stop_token& stop) override {
    const auto list = to_rd(partitions);
    const auto deadline = steady_clock::now() + timeout;
    auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    while (code == RD_KAFKA_RESP_ERR__TIMED_OUT && !stop.stop_requested()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      if (left <= milliseconds(0)) break;
      code = rd_kafka_committed(client_.get(), list.get(), to_rd(std::min(left, kQuestionLimit)));
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(to_error(code, "committed offsets"));
    }
    std::vector<PartitionOffset> offsets;
    for (const auto& element : std::span(list->elems, static_cast<std::size_t>(list->cnt))) {
      if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return tl::unexpected(to_error(element.err, "committed offsets", element.topic));
      }
      offsets.push_back(
          {{element.topic, element.partition}, std::max<std::int64_t>(element.offset, -1)});
    }
    return offsets;
  }

  // Between leaving a group and joining it again there is no generation, and the broker takes a
  // transaction's offsets without one unchecked: that would undo the fencing of KIP-447.
  Result<std::unique_ptr<GroupMetadata>> group_metadata() override {
    RdGroupMetadataHandle handle(rd_kafka_consumer_group_metadata(client_.get()));
    if (!handle || !is_member(*handle)) {
      return fail_transient(ErrorKind::kConflict, "not-in-group",
                            "the consumer is not in its group at the moment");
    }
    return std::make_unique<RdGroupMetadata>(std::move(handle));
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
      assign(to_partitions(list));
    } else if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      revoke(list);
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
    if (readable_.contains({record.topic, record.position.partition})) {
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

  void assign(const std::vector<TopicPartition>& partitions) {
    // The protocol wants every partition taken; what has no start is held, and never read.
    const auto starts = starts_of(partitions);
    std::vector<PartitionOffset> taken;
    std::vector<TopicPartition> held;
    for (const auto& tp : partitions) {
      const auto start = std::ranges::find(starts, tp, &PartitionOffset::tp);
      if (start != starts.end() && start->offset >= 0) {
        readable_.insert(tp);
        taken.push_back(*start);
      } else {
        held.push_back(tp);
        taken.push_back({tp, 0});
      }
    }
    const RdError error(rd_kafka_incremental_assign(client_.get(), to_rd(taken).get()));
    if (error) fail_rebalance(error, "assign");
    if (!held.empty()) rd_kafka_pause_partitions(client_.get(), to_rd(held).get());
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

  void revoke(rd_kafka_topic_partition_list_t& list) {
    let_go(to_partitions(list));
    const RdError error(rd_kafka_incremental_unassign(client_.get(), &list));
    if (error) fail_rebalance(error, "unassign");
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

  void resume(const std::vector<TopicPartition>& partitions) {
    if (partitions.empty()) return;
    rd_kafka_resume_partitions(client_.get(), to_rd(partitions).get());
    for (const auto& tp : partitions) paused_.erase(tp);
  }

  // What this very poll had gathered of them was read under the assignment that ends here. The
  // library keeps a pause beyond its assignment, so it ends here too.
  void forget(const std::vector<TopicPartition>& partitions) {
    std::vector<TopicPartition> paused;
    for (const auto& tp : partitions) {
      if (paused_.contains(tp)) paused.push_back(tp);
    }
    resume(paused);
    for (const auto& tp : partitions) readable_.erase(tp);
    std::erase_if(gathered_, [this](const InRecord& record) {
      return !readable_.contains({record.topic, record.position.partition});
    });
  }

  void fail_rebalance(const RdError& error, std::string_view what) {
    failure_ = to_error(rd_kafka_error_code(error.get()), what, rd_kafka_error_string(error.get()));
    failure_->retry = Retry::kFatal;
  }

  GroupContext context_;
  RebalanceListener& listener_;
  // Dies before the client it belongs to.
  RdClient client_;
  RdQueue queue_;
  std::set<TopicPartition> assigned_;  // what the listener has taken
  std::set<TopicPartition> readable_;  // those of them that have a start
  std::set<TopicPartition> paused_;    // those of them that the caller wants no records of
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
