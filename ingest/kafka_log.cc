// Events become records here; nothing else of this service knows how they look.
#include "ingest/kafka_log.h"

#include "schemas/codec.h"

namespace thumb::ingest {

void KafkaEventLog::publish(const Event& event, const std::string& traceparent, Done done) {
  const EventContext context{
      .time = clock_.now(), .source = "/thumbstream/ingest", .traceparent = traceparent};
  producer_.produce(encode(event, context, names_), std::move(done));
}

Result<std::int64_t> KafkaLogEnds::end_of(std::int32_t partition) {
  return admin_.watermarks({topic_, partition}, timeout_).map([](const kafka::Watermarks& marks) {
    return marks.high;
  });
}

}  // namespace thumb::ingest
