// Records in and out of librdkafka's message type. Internal to this layer.
#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/rd_handles.h"
#include "platform/log_position.h"

namespace thumb::kafka {

// For as long as the message is there. REQUIRES: message.err == 0.
[[nodiscard]] RecordView to_record(const rd_kafka_message_t& message);

// Queues a copy of `record`; `opaque` comes back with its delivery report. On an error there will
// be no report.
[[nodiscard]] RdError enqueue(rd_kafka_t* client, const OutRecord& record, void* opaque);

}  // namespace thumb::kafka
