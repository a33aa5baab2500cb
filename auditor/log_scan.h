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
#include "schemas/topology.h"

namespace thumb::auditor {

struct ScanOptions {
  std::size_t batch_records = 10'000;
  std::chrono::milliseconds poll_wait{100};
  std::chrono::milliseconds ask_timeout{10'000};
  // Given up if nothing arrives for so long. Longer than a transaction may stand open, since what
  // lies behind an open one is not readable.
  std::chrono::milliseconds patience{60'000};
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
  // Errors: those of the ports; kTimeout/"audit-stalled" and kUnavailable/"stopped" (back off).
  [[nodiscard]] Result<void> read_on(AuditBook& book, const std::stop_token& stop);

 private:
  using Ends = std::map<kafka::TopicPartition, std::int64_t>;

  [[nodiscard]] Result<Ends> ask_ends(std::span<const Topic> topics, AuditBook& book);
  [[nodiscard]] Result<void> read_to(const Ends& ends, AuditBook& book,
                                     const std::stop_token& stop);
  [[nodiscard]] bool take(const kafka::ReadBatch& batch, const Ends& ends, AuditBook& book);
  [[nodiscard]] bool reached(const Ends& ends) const;

  kafka::Admin& admin_;
  kafka::PartitionReader& reader_;
  TopicNames names_;
  std::int32_t partitions_;
  ScanOptions options_;
  Ends positions_;  // of the next records to read
};

}  // namespace thumb::auditor
