// Settings of this binary.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "ingest/service.h"
#include "platform/common_settings.h"
#include "platform/settings.h"

namespace thumb::ingest {

struct IngestSettings {
  CommonSettings common;
  std::string http_host = "127.0.0.1";                // THUMB_HTTP_HOST
  std::int64_t http_port = 8080;                      // THUMB_HTTP_PORT
  bool allow_public = false;                          // THUMB_ALLOW_PUBLIC
  std::string view_url;                               // THUMB_VIEW_URL: empty = local
  std::int64_t max_body_bytes = 32LL << 20;           // THUMB_MAX_BODY_BYTES
  std::int64_t max_inflight_bytes = 1LL << 30;        // THUMB_MAX_INFLIGHT_BYTES
  std::int64_t max_listeners = 10'000;                // THUMB_MAX_LISTENERS
  std::int64_t max_pixels = 50'000'000;               // THUMB_MAX_PIXELS
  std::int64_t ingest_workers = 16;                   // THUMB_INGEST_WORKERS
  std::chrono::milliseconds produce_timeout{10'000};  // THUMB_PRODUCE_TIMEOUT_MS
  std::chrono::milliseconds startup_timeout{60'000};  // THUMB_STARTUP_TIMEOUT_MS

  void declare(Settings& settings);

  // REQUIRES: parse() succeeded.
  [[nodiscard]] ServiceOptions service(std::int32_t partitions) const;
};

}  // namespace thumb::ingest
