// librdkafka has some 150 error codes; callers can act on nine meanings.
#include "kafka/rd_error.h"

#include <fmt/format.h>

namespace thumb::kafka {
namespace {

struct Meaning {
  ErrorKind kind;
  Retry retry;
  std::string_view code;
  std::string_view message;
};

constexpr Meaning kTimedOut{ErrorKind::kTimeout, Retry::kBackoff, "kafka-timeout",
                            "Kafka did not answer in time"};
constexpr Meaning kNoTopic{ErrorKind::kNotFound, Retry::kNever, "unknown-topic",
                           "the topic does not exist"};
constexpr Meaning kNoPartition{ErrorKind::kNotFound, Retry::kNever, "unknown-partition",
                               "the topic has no such partition"};
constexpr Meaning kRecordTooLarge{ErrorKind::kTooLarge, Retry::kNever, "record-too-large",
                                  "the record is larger than the topic takes"};
constexpr Meaning kFenced{ErrorKind::kConflict, Retry::kFatal, "producer-fenced",
                          "a newer producer has taken this one's place"};
constexpr Meaning kStaleMember{ErrorKind::kConflict, Retry::kBackoff, "stale-member",
                               "the consumer group has moved on since the records were read"};
constexpr Meaning kNotAuthorized{ErrorKind::kUnavailable, Retry::kBackoff, "kafka-not-authorized",
                                 "Kafka refuses this client's credentials or rights"};
constexpr Meaning kClientSpent{ErrorKind::kUnavailable, Retry::kFatal, "kafka-client-fatal",
                               "the Kafka client cannot go on"};
constexpr Meaning kUnavailable{ErrorKind::kUnavailable, Retry::kBackoff, "kafka-unavailable",
                               "Kafka cannot be reached or refused the request"};

const Meaning& meaning_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return kTimedOut;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return kNoTopic;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return kNoPartition;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return kRecordTooLarge;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
      return kFenced;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return kStaleMember;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return kNotAuthorized;
    case RD_KAFKA_RESP_ERR__FATAL:
      return kClientSpent;
    default:  // librdkafka has some 150 codes; whatever is not told apart above may pass later
      return kUnavailable;
  }
}

}  // namespace

Error to_error(rd_kafka_resp_err_t code, std::string_view what, std::string_view reason) {
  const Meaning& meaning = meaning_of(code);
  return {
      meaning.kind, meaning.retry, std::string(meaning.code), std::string(meaning.message),
      fmt::format("{}: {}{}{}", what, rd_kafka_err2name(code), reason.empty() ? "" : ": ", reason)};
}

TransactionFailure to_transaction_failure(const RdError& error, std::string_view what) {
  TransactionFailure failure{NextStep::kReplace, to_error(rd_kafka_error_code(error.get()), what,
                                                          rd_kafka_error_string(error.get()))};
  if (rd_kafka_error_is_fatal(error.get()) != 0) {
    failure.next = NextStep::kReplace;
  } else if (rd_kafka_error_txn_requires_abort(error.get()) != 0) {
    failure.next = NextStep::kAbort;
  } else if (rd_kafka_error_is_retriable(error.get()) != 0) {
    failure.next = NextStep::kRepeatCall;
  }
  return failure;
}

}  // namespace thumb::kafka
