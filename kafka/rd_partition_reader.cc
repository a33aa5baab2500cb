// Reads partitions by assignment, in large gulps. No group is joined: librdkafka wants a group id
// for its assign(), but nothing is fetched from or committed to it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "kafka/clients.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/rd_record.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kGulp = 4'096;  // messages taken per call of librdkafka
// Past either of its queue limits librdkafka 2.0.2 stops fetching for 1 s. The limit by count is
// per partition; at this many bytes a record the limit by bytes is met first.
constexpr std::size_t kBytesPerQueuedRecord = 512;
constexpr std::size_t kMinQueuedRecords = 100'000;

RdOptions reader_options(const ClusterConfig& cluster, const ReaderOptions& options) {
  const auto records = std::max(kMinQueuedRecords, options.queue_bytes / kBytesPerQueuedRecord);
  const auto kbytes = std::max<std::size_t>(1, options.queue_bytes / 1024);
  return {
      .settings = {
          {"group.id", cluster.client_id + "-reader"},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"isolation.level", "read_committed"},
          {"enable.partition.eof", "true"},
          // How long a topic that is not there is taken for one that is just being made.
          {"topic.metadata.propagation.max.ms", "5000"},
          {"fetch.wait.max.ms", std::to_string(options.fetch_wait.count())},
          // Little enough for a slow link to bring within socket.timeout.ms; the default is 50 MB.
          {"fetch.max.bytes", "8388608"},
          {"fetch.error.backoff.ms", "50"},
          {"queued.min.messages", std::to_string(std::min<std::size_t>(records, 10'000'000))},
          {"queued.max.messages.kbytes", std::to_string(std::min<std::size_t>(kbytes, 2'000'000))},
      }};
}

class RdPartitionReader final : public PartitionReader {
 public:
  explicit RdPartitionReader(Log& log)
      : context_{log, [this](auto code, auto reason) { note_missing_topic(code, reason); }} {}

  ~RdPartitionReader() override {
    if (client_) rd_kafka_consumer_close(client_.get());
  }

  Result<void> start(const ClusterConfig& cluster, const ReaderOptions& options) {
    auto client =
        make_client(RD_KAFKA_CONSUMER, cluster, reader_options(cluster, options), context_);
    if (!client) return tl::unexpected(client.error());
    client_ = std::move(*client);
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    return {};
  }

  Result<void> assign(std::span<const PartitionOffset> starts) override {
    std::map<TopicPartition, std::int64_t> wanted;
    for (const auto& [tp, offset] : starts) wanted[tp] = offset;
    if (!failure_ && wanted == next_) return {};
    failure_.reset();
    next_ = std::move(wanted);
    at_ = next_.end();
    // Before they are read: then the first fetch asks for all of them. One that asks for some only
    // would hold the others up for as long as it waits in vain.
    learn_topics(starts);
    const auto code = rd_kafka_assign(client_.get(), to_rd(starts).get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    next_.clear();
    at_ = next_.end();
    return tl::unexpected(to_error(code, "assign"));
  }

  Result<ReadBatch> poll(std::size_t max, milliseconds wait) override {
    const auto deadline = steady_clock::now() + wait;
    ReadBatch batch;
    const auto messages = std::make_shared<Messages>();
    batch.memory = messages;
    // What librdkafka hands over may be only news that concern nobody: then the wait goes on.
    while (!failure_ && batch.records.empty() && batch.ends.empty()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      RdMessage message(rd_kafka_consumer_poll(client_.get(), to_rd(left)));
      if (!message) break;
      take(std::move(message), batch, *messages);
      drain(max, batch, *messages);
    }
    if (failure_ && batch.records.empty() && batch.ends.empty()) return tl::unexpected(*failure_);
    return batch;
  }

 private:
  using Messages = std::vector<RdMessage>;  // those that a batch's records look into

  void learn_topics(std::span<const PartitionOffset> starts) {
    for (const auto& start : starts) {
      if (known_topics_.contains(start.tp.topic)) continue;
      if (!learn_topic(client_.get(), start.tp.topic))
        return;  // the broker is away: it is slow then
      known_topics_.insert(start.tp.topic);
    }
  }

  // What is there already, without waiting: rd_kafka_consume_batch_queue() would wait until the
  // batch is full.
  void drain(std::size_t max, ReadBatch& batch, Messages& messages) {
    std::array<rd_kafka_message_t*, kGulp> gulp{};
    while (!failure_ && batch.records.size() < max) {
      const auto want = std::min(kGulp, max - batch.records.size());
      const auto got = rd_kafka_consume_batch_queue(queue_.get(), 0, gulp.data(), want);
      if (got <= 0) return;
      for (auto* message : std::span(gulp.data(), static_cast<std::size_t>(got))) {
        take(RdMessage(message), batch, messages);
      }
    }
  }

  void take(RdMessage message, ReadBatch& batch, Messages& messages) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (!is_next(*message)) return;
      batch.records.push_back(to_record(*message));
      messages.push_back(std::move(message));
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      take_end(*message, batch);
    } else {
      take_error(*message);
    }
  }

  // Whether a record is one that is still expected.
  bool is_next(const rd_kafka_message_t& message) {
    // Records come in stretches of one partition: each is looked up once.
    if (at_ == next_.end() || at_->first.partition != message.partition ||
        at_->first.topic != rd_kafka_topic_name(message.rkt)) {
      at_ = next_.find({rd_kafka_topic_name(message.rkt), message.partition});
    }
    if (at_ == next_.end() || message.offset < at_->second) return false;
    at_->second = message.offset + 1;
    return true;
  }

  // The offset of an end is past control records, which no message shows.
  void take_end(const rd_kafka_message_t& message, ReadBatch& batch) {
    const TopicPartition tp{rd_kafka_topic_name(message.rkt), message.partition};
    const auto next = next_.find(tp);
    if (next == next_.end() || message.offset < next->second) return;
    next->second = message.offset;
    std::erase_if(batch.ends, [&](const PartitionOffset& end) { return end.tp == tp; });
    batch.ends.push_back({tp, message.offset});
  }

  void take_error(const rd_kafka_message_t& message) {
    const std::string_view reason = rd_kafka_message_errstr(&message);
    if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
      failure_ = Error{ErrorKind::kNotFound, Retry::kNever, "offset-out-of-range",
                       "the log does not hold the position to read from", std::string(reason)};
    } else {
      context_.log.warn("partition reader",
                        {{"code", rd_kafka_err2name(message.err)}, {"detail", reason}});
    }
  }

  // librdkafka tells of a missing topic aside from the records, again and again.
  void note_missing_topic(rd_kafka_resp_err_t code, std::string_view reason) {
    auto error = to_error(code, "read", reason);
    if (error.kind != ErrorKind::kNotFound) return;
    error.retry = Retry::kFatal;
    failure_ = std::move(error);
  }

  RdContext context_;
  RdClient client_;
  RdQueue queue_;  // dies before the client
  // The least offset that is still expected of each assigned partition.
  std::map<TopicPartition, std::int64_t> next_;
  decltype(next_)::iterator at_ = next_.end();  // of the last record
  std::set<std::string> known_topics_;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::unique_ptr<PartitionReader>> make_partition_reader(const ClusterConfig& cluster,
                                                               const ReaderOptions& options,
                                                               Log& log) {
  auto reader = std::make_unique<RdPartitionReader>(log);
  if (auto started = reader->start(cluster, options); !started) {
    return tl::unexpected(started.error());
  }
  return reader;
}

}  // namespace thumb::kafka
