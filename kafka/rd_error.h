// The one mapping from librdkafka's errors to ours. Internal to this layer.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "kafka/rd_handles.h"
#include "platform/result.h"

namespace thumb::kafka {

// `what` names the operation, for operators.
[[nodiscard]] Error to_error(rd_kafka_resp_err_t code, std::string_view what,
                             std::string_view reason = {});

// What a transactional call asks for next; librdkafka states it per error object, not per code.
enum class NextStep {
  kRepeatCall,  // retriable: the same call again resumes the operation
  kAbort,       // the transaction is lost, the producer is not
  kReplace,     // fatal, or in a state that no call leads out of
};

struct TransactionFailure {
  NextStep next;
  Error error;
};

// REQUIRES: error is not null.
[[nodiscard]] TransactionFailure to_transaction_failure(const RdError& error,
                                                        std::string_view what);

}  // namespace thumb::kafka
