// Are the blobs there that events name, and are they what the events say?
#pragma once

#include <chrono>
#include <stop_token>
#include <vector>

#include "auditor/finding.h"
#include "auditor/named_blobs.h"
#include "auditor/request_book.h"
#include "platform/blob_store.h"

namespace thumb::auditor {

enum class BlobMode : std::uint8_t { kNone, kExist, kDigest };

struct BlobCounts {
  std::size_t checked = 0;
  std::size_t bytes_read = 0;
  std::size_t waiting = 0;  // of images deleted within the grace period, and not removed yet
};

struct BlobFinding {
  std::uint32_t image = 0;  // index for RequestBook::image()
  Finding finding;
};

struct BlobReport {
  BlobCounts counts;
  std::vector<BlobFinding> findings;
};

// Images deleted before `deletions_until` must have no blob left; all others must have theirs.
// kExist looks at existence and size, kDigest reads every byte. Errors: those of BlobStore that are
// not "blob-not-found"; kUnavailable/"stopped".
//
// An image may be deleted while this runs: read the log on, and drop the findings of images that
// are deleted by then.
[[nodiscard]] Result<BlobReport> check_blobs(BlobStore& store, BlobMode mode,
                                             const NamedBlobs& blobs, const RequestBook& requests,
                                             TimeMs deletions_until, const std::stop_token& stop);

}  // namespace thumb::auditor
