// Transactions over librdkafka. Each of its calls is resumable: after a retriable error the same
// call goes on with the same operation (librdkafka 1.9 and later), so everything here repeats until
// a deadline of its own and never hands a half-done call to the caller.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "kafka/clients.h"
#include "kafka/rd_client.h"
#include "kafka/rd_error.h"
#include "kafka/rd_record.h"
#include "platform/failpoint.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kInitLimit{30'000};
// Nothing can end the library's wait for the coordinator, so a long one is made of these.
constexpr milliseconds kInitStep{200};
// A stop must end within 10 s even if the broker is gone in the middle of a batch: work + abort.
constexpr milliseconds kWorkLimit{4'000};
constexpr milliseconds kAbortLimit{2'000};
constexpr milliseconds kLeaveLimit{1'000};
// Ends before kWorkLimit: a record that can't be delivered makes the commit fail with "abort"
// instead of leaving it waiting for the flush.
constexpr milliseconds kDeliveryLimit{3'000};

milliseconds until(Deadline deadline) {
  return std::max(milliseconds(1),
                  std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()));
}

// Calls `step` again as long as it may be resumed. Nothing: success.
template <typename Step>
std::optional<TransactionFailure> resume_until(Deadline deadline, std::string_view what,
                                               const Step& step, const std::stop_token& stop = {}) {
  while (true) {
    const RdError error(step(to_rd(until(deadline))));
    if (!error) return std::nullopt;
    auto failure = to_transaction_failure(error, what);
    const bool over = stop.stop_requested() || steady_clock::now() >= deadline;
    if (over || failure.next != NextStep::kRepeatCall) return failure;
  }
}

// What the delivery reports of the open transaction said.
struct DeliveryContext : RdContext {
  std::optional<Error> first_error;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* report, void* opaque) {
  auto* context = static_cast<DeliveryContext*>(static_cast<RdContext*>(opaque));
  // Those purged by an abort are a consequence, not a cause.
  if (report->err == RD_KAFKA_RESP_ERR_NO_ERROR || report->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
      report->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || context->first_error) {
    return;
  }
  // Not rd_kafka_message_errstr(): for a producer's record that is the value, unterminated.
  context->first_error = to_error(report->err, "produce");
}

RdOptions transaction_options(const TransactionOptions& options) {
  return {
      .settings =
          {
              {"transactional.id", options.transactional_id},
              {"transaction.timeout.ms", std::to_string(options.transaction_timeout.count())},
              {"message.timeout.ms",
               std::to_string(std::min(kDeliveryLimit, options.transaction_timeout).count())},
              {"partitioner", "murmur2_random"},
              {"compression.type", "zstd"},
              {"compression.level", kZstdLevel},
              {"linger.ms", "0"},
              // The broker answers "concurrent transactions" while it finishes the previous one:
              // the back-off is the latency of a transaction (63-94 ms at the default of 100).
              {"retry.backoff.ms", "5"},
              // What could be read can be sent on (receive.message.max.bytes): a dead letter holds
              // its record whole. The topics' own limits go by the compressed size.
              {"message.max.bytes", "100000000"},
              // librdkafka ends some of its calls by this alone, not by their own time-out; at the
              // default a broker that hangs held a commit for 9 s.
              {"socket.timeout.ms", "2500"},
          },
      .on_delivery = on_delivery};
}

class RdTransactionalProducer final : public TransactionalProducer {
 public:
  explicit RdTransactionalProducer(Log& log) : context_{{log}, std::nullopt} {}

  // An answer that says "fenced" while librdkafka 2.0.2 destroys its producer frees the text of the
  // error before it a second time: what is under way is waited for, unless the broker is silent.
  ~RdTransactionalProducer() override {
    if (client_) rd_kafka_flush(client_.get(), to_rd(kLeaveLimit));
  }

  Result<void> start(const ClusterConfig& cluster, const TransactionOptions& options,
                     const std::stop_token& stop) {
    auto client = make_client(RD_KAFKA_PRODUCER, cluster, transaction_options(options), context_);
    if (!client) return tl::unexpected(client.error());
    client_ = std::move(*client);
    const auto init = [this](int ms) {
      return rd_kafka_init_transactions(client_.get(), std::min(ms, to_rd(kInitStep)));
    };
    const auto failure =
        resume_until(steady_clock::now() + kInitLimit, "init transactions", init, stop);
    if (failure) return tl::unexpected(failure->error);
    return {};
  }

  Result<void> commit_batch(std::span<const OutRecord> records,
                            std::span<const PartitionOffset> offsets,
                            const GroupMetadata& group) override {
    if (spent_) return fatal(*spent_);
    rd_kafka_poll(client_.get(), 0);  // error events of idle times
    context_.first_error.reset();
    const auto deadline = steady_clock::now() + kWorkLimit;
    if (auto failure = fill(records, offsets, group, deadline)) {
      return give_up(*failure, Outcome::kNotCommitted);
    }
    failpoint("transaction.before-commit");
    if (auto failure = resume_until(deadline, "commit transaction", [this](int ms) {
          return rd_kafka_commit_transaction(client_.get(), ms);
        })) {
      return give_up(*failure, Outcome::kUnknown);
    }
    failpoint("transaction.after-commit");
    return {};
  }

 private:
  enum class Outcome { kNotCommitted, kUnknown };

  // Everything before the commit.
  std::optional<TransactionFailure> fill(std::span<const OutRecord> records,
                                         std::span<const PartitionOffset> offsets,
                                         const GroupMetadata& group, Deadline deadline) {
    if (const RdError error(rd_kafka_begin_transaction(client_.get())); error) {
      return to_transaction_failure(error, "begin transaction");
    }
    for (const auto& record : records) {
      if (const auto error = enqueue(client_.get(), record, nullptr); error) {
        return enqueue_failure(error);
      }
      if (known_topics_.insert(record.topic).second) learn_topic(client_.get(), record.topic);
      failpoint("transaction.after-produce");
    }
    if (offsets.empty()) return std::nullopt;
    const auto* member = dynamic_cast<const RdGroupMetadata*>(&group);
    if (member == nullptr) {
      return TransactionFailure{NextStep::kAbort,
                                {ErrorKind::kInternal, Retry::kNever, "foreign-group-metadata",
                                 "the group metadata is not of a Kafka consumer", ""}};
    }
    const auto list = to_rd(offsets);
    failpoint("transaction.before-send-offsets");
    return resume_until(deadline, "send offsets", [&](int ms) {
      return rd_kafka_send_offsets_to_transaction(client_.get(), list.get(), member->get(), ms);
    });
  }

  // produceva() states no axes: a fatal producer says so by its state, all else ends in an abort.
  TransactionFailure enqueue_failure(const RdError& error) {
    const auto code = rd_kafka_error_code(error.get());
    const bool fatal =
        rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
    return {fatal ? NextStep::kReplace : NextStep::kAbort,
            to_error(code, "produce", rd_kafka_error_string(error.get()))};
  }

  // Aborts where that is possible. A commit that failed is known to be without effect only once the
  // broker has confirmed an abort: its request may have arrived although the answer did not.
  Result<void> give_up(TransactionFailure failure, Outcome outcome) {
    const bool may_abort =
        failure.next == NextStep::kAbort ||
        (failure.next == NextStep::kRepeatCall && outcome == Outcome::kNotCommitted);
    const bool aborted = may_abort && abort_open();
    // The cause, if it was a record; an abort serves the last delivery reports.
    if (context_.first_error) failure.error = *context_.first_error;
    if (aborted) {
      // All but a record that is too large may pass when the caller tries again.
      if (failure.error.kind != ErrorKind::kTooLarge) failure.error.retry = Retry::kBackoff;
      return tl::unexpected(failure.error);
    }
    if (outcome == Outcome::kUnknown) {
      failure.error = {ErrorKind::kTimeout, Retry::kFatal, "commit-outcome-unknown",
                       "it is not known whether the transaction was committed",
                       failure.error.detail};
    }
    spent_ = failure.error;
    return fatal(failure.error);
  }

  bool abort_open() {
    const auto failure =
        resume_until(steady_clock::now() + kAbortLimit, "abort transaction",
                     [this](int ms) { return rd_kafka_abort_transaction(client_.get(), ms); });
    if (failure) context_.log.error("cannot abort a transaction", failure->error);
    return !failure;
  }

  static Result<void> fatal(Error error) {
    error.retry = Retry::kFatal;
    return tl::unexpected(std::move(error));
  }

  DeliveryContext context_;
  RdClient client_;
  std::set<std::string> known_topics_;
  std::optional<Error> spent_;
};

}  // namespace

Result<std::unique_ptr<TransactionalProducer>> make_transactional_producer(
    const ClusterConfig& cluster, const TransactionOptions& options, Log& log,
    const std::stop_token& stop) {
  auto producer = std::make_unique<RdTransactionalProducer>(log);
  if (auto started = producer->start(cluster, options, stop); !started) {
    return tl::unexpected(started.error());
  }
  return producer;
}

}  // namespace thumb::kafka
