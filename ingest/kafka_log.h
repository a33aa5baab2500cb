// The log ports on Kafka.
#pragma once

#include <chrono>

#include "ingest/ports.h"
#include "kafka/admin.h"
#include "kafka/producer.h"
#include "platform/clock.h"
#include "schemas/topology.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructors outlives the object.
class KafkaEventLog final : public EventLog {
 public:
  KafkaEventLog(kafka::Producer& producer, const TopicNames& names, const Clock& clock)
      : producer_(producer), names_(names), clock_(clock) {}

  void publish(const Event& event, const std::string& traceparent, Done done) override;

 private:
  kafka::Producer& producer_;
  const TopicNames& names_;
  const Clock& clock_;
};

class KafkaLogEnds final : public LogEnds {
 public:
  KafkaLogEnds(kafka::Admin& admin, std::string topic, std::chrono::milliseconds timeout)
      : admin_(admin), topic_(std::move(topic)), timeout_(timeout) {}

  [[nodiscard]] Result<std::int64_t> end_of(std::int32_t partition) override;

 private:
  kafka::Admin& admin_;
  const std::string topic_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace thumb::ingest
