// One audit from start to end: read, wait for what is open, look at the blobs, conclude.
#pragma once

#include <chrono>
#include <stop_token>

#include "auditor/audit_book.h"
#include "auditor/blob_check.h"
#include "auditor/log_scan.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "platform/blob_store.h"
#include "platform/clock.h"

namespace thumb::auditor {

struct AuditOptions {
  BlobMode blobs = BlobMode::kDigest;
  std::chrono::milliseconds grace{60'000};  // log time: what is younger may still be on its way
  std::chrono::milliseconds wait{0};        // how long to wait for open requests to end
  ScanOptions scan;
};

struct AuditPorts {
  kafka::Admin& admin;
  kafka::PartitionReader& reader;
  BlobStore* blobs;  // null only if the mode is kNone
  const Clock& clock;
};

struct AuditResult {
  Counts counts;
  BlobCounts blobs;
  Findings findings;
};

// Errors: those of LogScan, check_blobs and kafka::require_topics. Changes nothing anywhere.
[[nodiscard]] Result<AuditResult> audit(const AuditPorts& ports, const TopicNames& names,
                                        const AuditOptions& options, const std::stop_token& stop);

}  // namespace thumb::auditor
