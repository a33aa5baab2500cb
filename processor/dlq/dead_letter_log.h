// Looks dead letters up in the log, and what became of them: there is no other memory of what was
// sent again than the records themselves.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <stop_token>

#include "kafka/admin.h"
#include "kafka/read_stretches.h"
#include "processor/dlq/dead_letter.h"
#include "schemas/topology.h"

namespace thumb::dlq {

struct LogOptions {
  std::chrono::milliseconds ask_timeout{10'000};
  kafka::StretchOptions reading;
  // How far the clocks of two brokers may differ: so much earlier the search for what was sent
  // again begins.
  std::chrono::minutes clock_margin{15};
};

// For one thread. Errors: those of kafka::Admin and kafka::read_stretches.
class DeadLetterLog {
 public:
  using Take = std::function<Result<void>(const InRecord&)>;
  // Dead letters that were sent again, and as which record of image-requests.
  using SentAgain = std::map<LogPosition, LogPosition>;

  struct Ports {
    kafka::Admin& admin;
    kafka::PartitionReader& letters;
    kafka::PartitionReader& requests;  // another one: it is asked while the first reads
  };

  // REQUIRES: what `ports` refers to outlives it, and nobody else uses the readers.
  DeadLetterLog(Ports ports, TopicNames names, LogOptions options, std::stop_token stop)
      : ports_(ports), names_(std::move(names)), options_(options), stop_(std::move(stop)) {}

  // Also: do both topics exist?
  [[nodiscard]] Result<std::int32_t> partitions();

  // The selected dead letters that exist by now, in order within a partition.
  [[nodiscard]] Result<void> read(const Selection& selection, const Take& take);

  // Reads the partitions where they would stand, from the time of the oldest of `letters` up to
  // now.
  [[nodiscard]] Result<SentAgain> sent_again(std::span<const DeadLetter> letters);

  // The record that a dead letter was. kNotFound/"original-gone" (never) if the log does not hold
  // it any more.
  [[nodiscard]] Result<InRecord> original(const DeadLetterOrigin& origin);

 private:
  Ports ports_;
  TopicNames names_;
  LogOptions options_;
  std::stop_token stop_;
};

}  // namespace thumb::dlq
