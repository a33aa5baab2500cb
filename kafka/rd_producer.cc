// The idempotent producer. One thread of its own serves the delivery reports, and replaces the
// librdkafka handle when that has a fatal error, which it never leaves again.
#include <fmt/format.h>

#include <array>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "kafka/clients.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/rd_record.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollWait{100};
// A clean stop ends within 10 s; what Kafka has not acknowledged after this long is reported
// failed.
constexpr milliseconds kFlushLimit{3'000};
constexpr milliseconds kPurgeLimit{2'000};

// A record on its way; librdkafka carries the pointer and hands it back with the report.
struct Pending {
  Producer::Done done;
};

// A handle with its event queue, which must go first.
struct Session {
  RdClient client;
  RdQueue events;
};

void answer(Pending& pending, Result<LogPosition> result, Log& log) {
  try {
    pending.done(std::move(result));
  } catch (...) {  // below is C code
    log.error("a delivery callback threw");
  }
}

Error delivery_error(rd_kafka_resp_err_t code, std::string_view reason = {}) {
  auto error = to_error(code, "produce", reason);
  if (error.kind == ErrorKind::kTooLarge) return error;
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    return {ErrorKind::kUnavailable, Retry::kBackoff, "produce-queue-full",
            "too many records are waiting for Kafka", error.detail};
  }
  if (error.kind == ErrorKind::kTimeout) {
    return {ErrorKind::kTimeout, Retry::kBackoff, "produce-timeout",
            "Kafka did not acknowledge the record in time", error.detail};
  }
  return {ErrorKind::kUnavailable, Retry::kBackoff, "produce-failed",
          "Kafka did not accept the record", error.detail};
}

Result<LogPosition> outcome_of(const rd_kafka_message_t& report) {
  if (report.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Not rd_kafka_message_errstr(): for a producer's record that is the value, unterminated.
    return tl::unexpected(delivery_error(report.err));
  }
  if (report.offset < 0) {
    // A broker that recognises a repeat, but no longer knows where the first copy went, says so.
    return tl::unexpected(delivery_error(RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
                                         "stored, but the broker did not say where"));
  }
  return LogPosition{report.partition, report.offset};
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* report, void* opaque) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(report->_private));
  answer(*pending, outcome_of(*report), static_cast<RdContext*>(opaque)->log);
}

RdOptions producer_options(const ProducerOptions& options) {
  return {.settings =
              {
                  {"enable.idempotence", "true"},
                  {"acks", "all"},
                  {"partitioner", "murmur2_random"},
                  {"compression.type", "zstd"},
                  {"compression.level", kZstdLevel},
                  {"message.timeout.ms", std::to_string(options.delivery_timeout.count())},
                  {"linger.ms", std::to_string(options.linger.count())},
                  {"retry.backoff.ms", "20"},
                  // Bounded memory: past either, produce() answers produce-queue-full.
                  {"queue.buffering.max.messages", "100000"},
                  {"queue.buffering.max.kbytes", "65536"},
                  // Each topic has its own limit (kafka/topics.json); the broker enforces it.
                  {"message.max.bytes", "4194304"},
              },
          .on_delivery = on_delivery};
}

class RdProducer final : public Producer {
 public:
  RdProducer(ClusterConfig cluster, const ProducerOptions& options, Log& log)
      : cluster_(std::move(cluster)), options_(producer_options(options)), context_{log} {}

  ~RdProducer() override {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    wake();
    thread_.join();
  }

  Result<void> start() {
    auto session = make_session();
    if (!session) return tl::unexpected(session.error());
    session_ = std::move(*session);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }

  void produce(OutRecord record, Done done) override {
    auto pending = std::make_unique<Pending>(Pending{std::move(done)});
    const std::shared_lock lock(session_mutex_);
    const auto error = enqueue(session_.client.get(), record, pending.get());
    if (error) {
      reject(std::move(pending),
             delivery_error(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get())));
    } else {
      std::ignore = pending.release();  // comes back with the delivery report
      if (!note_topic(record.topic)) return;
    }
    rd_kafka_queue_yield(session_.events.get());
  }

 private:
  struct Rejected {
    std::unique_ptr<Pending> pending;
    Error error;
  };

  Result<Session> make_session() {
    auto client = make_client(RD_KAFKA_PRODUCER, cluster_, options_, context_);
    if (!client) return tl::unexpected(client.error());
    RdQueue events(rd_kafka_queue_get_main(client->get()));
    return Session{std::move(*client), std::move(events)};
  }

  void wake() {
    const std::shared_lock lock(session_mutex_);
    rd_kafka_queue_yield(session_.events.get());
  }

  // Refusals are answered by the same thread as everything else, so that a caller may hold the lock
  // that its `done` takes.
  void reject(std::unique_ptr<Pending> pending, Error error) {
    const std::lock_guard lock(inbox_mutex_);
    rejected_.push_back({std::move(pending), std::move(error)});
  }

  // True if this is the session's first record for the topic.
  bool note_topic(const std::string& topic) {
    const std::lock_guard lock(inbox_mutex_);
    if (!known_topics_.insert(topic).second) return false;
    new_topics_.push_back(topic);
    return true;
  }

  // What produce() left for this thread.
  void serve_inbox() {
    std::vector<Rejected> rejected;
    std::vector<std::string> new_topics;
    {
      const std::lock_guard lock(inbox_mutex_);
      rejected.swap(rejected_);
      new_topics.swap(new_topics_);
    }
    for (auto& [pending, error] : rejected) {
      answer(*pending, tl::unexpected(std::move(error)), context_.log);
    }
    for (const auto& topic : new_topics) learn_topic(session_.client.get(), topic);
  }

  // Only this thread replaces the session, so it reads it without the lock.
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      rd_kafka_poll(session_.client.get(), to_rd(kPollWait));
      serve_inbox();
      replace_if_fatal();
    }
    rd_kafka_flush(session_.client.get(), to_rd(kFlushLimit));
    give_up_rest(session_);
    serve_inbox();
  }

  void replace_if_fatal() {
    std::array<char, 512> reason{};
    const auto code = rd_kafka_fatal_error(session_.client.get(), reason.data(), reason.size());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    auto fresh = make_session();
    if (!fresh) {
      context_.log.error("cannot replace the producer", fresh.error());
      return;
    }
    context_.log.warn("producer replaced after a fatal error",
                      {{"code", rd_kafka_err2name(code)}, {"detail", reason.data()}});
    {
      const std::unique_lock lock(session_mutex_);
      std::swap(session_, *fresh);
      known_topics_.clear();  // produce() takes the inbox lock only within the session lock
    }
    give_up_rest(*fresh);
  }

  // Every record still in hand is reported failed: a purge makes its delivery report.
  void give_up_rest(Session& session) {
    rd_kafka_t* client = session.client.get();
    rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    if (rd_kafka_flush(client, to_rd(kPurgeLimit)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      context_.log.error("records without a delivery report",
                         {{"records", rd_kafka_outq_len(client)}});
    }
  }

  const ClusterConfig cluster_;
  const RdOptions options_;
  RdContext context_;
  std::shared_mutex session_mutex_;
  Session session_;
  std::mutex inbox_mutex_;
  std::vector<Rejected> rejected_;
  std::vector<std::string> new_topics_;
  std::set<std::string> known_topics_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Producer>> make_producer(const ClusterConfig& cluster,
                                                const ProducerOptions& options, Log& log) {
  auto producer = std::make_unique<RdProducer>(cluster, options, log);
  if (auto started = producer->start(); !started) return tl::unexpected(started.error());
  return producer;
}

}  // namespace thumb::kafka
