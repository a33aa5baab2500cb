// Reads all topics, read_committed, into a book: from the first offset up to the high watermarks of
// the moment, and on from there whenever asked again.
#pragma once

#include <chrono>
#include <map>
#include <span>
#include <stop_token>

#include "auditor/audit_book.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/read_stretches.h"
#include "schemas/topology.h"

namespace thumb::auditor {

struct ScanOptions {
  std::chrono::milliseconds ask_timeout{10'000};
  kafka::StretchOptions reading;
};

// For one thread.
class LogScan {
 public:
  // REQUIRES: `admin` and `reader` outlive it; nobody else uses `reader`. `partitions` is the count
  // of every topic.
  LogScan(kafka::Admin& admin, kafka::PartitionReader& reader, TopicNames names,
          std::int32_t partitions, ScanOptions options)
      : admin_(admin),
        reader_(reader),
        names_(std::move(names)),
        partitions_(partitions),
        options_(options) {}

  // Everything up to now, each record once over all calls. An event is never read before what it
  // names on image-requests: the ends of the other topics are asked for first, and read last.
  // Errors: those of Admin and of kafka::read_stretches.
  [[nodiscard]] Result<void> read_on(AuditBook& book, const std::stop_token& stop);

 private:
  using Ends = std::map<kafka::TopicPartition, std::int64_t>;

  [[nodiscard]] Result<Ends> ask_ends(std::span<const Topic> topics, AuditBook& book);
  [[nodiscard]] Result<void> read_to(const Ends& ends, AuditBook& book,
                                     const std::stop_token& stop);

  kafka::Admin& admin_;
  kafka::PartitionReader& reader_;
  TopicNames names_;
  std::int32_t partitions_;
  ScanOptions options_;
  Ends positions_;  // of the next records to read
};

}  // namespace thumb::auditor
