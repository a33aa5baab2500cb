// Settings of the processor beyond those that every service has.
#pragma once

#include <cstdint>
#include <string>

#include "platform/common_settings.h"
#include "platform/settings.h"

namespace thumb {

struct ProcessorSettings {
  CommonSettings common;
  std::string group;                              // THUMB_GROUP: empty = "<topic prefix>processor"
  std::int64_t workers = 0;                       // THUMB_PROCESSOR_WORKERS: 0 = number of cores
  std::int64_t max_in_work = 64;                  // THUMB_PROCESSOR_MAX_IN_WORK
  std::int64_t batch = 500;                       // THUMB_PROCESSOR_BATCH
  std::chrono::milliseconds linger{100};          // THUMB_PROCESSOR_LINGER_MS
  std::int64_t max_pixels = 50'000'000;           // THUMB_MAX_PIXELS
  std::int64_t max_original_bytes = 64LL << 20U;  // THUMB_MAX_ORIGINAL_BYTES
  std::int64_t image_memory_bytes = 1LL << 30U;   // THUMB_IMAGE_MEMORY_BYTES
  std::chrono::milliseconds decode_timeout{10'000};   // THUMB_DECODE_TIMEOUT_MS
  std::chrono::milliseconds startup_timeout{60'000};  // THUMB_STARTUP_TIMEOUT_MS

  void declare(Settings& settings);
  [[nodiscard]] std::string group_id() const;
  [[nodiscard]] std::size_t worker_count() const;
};

}  // namespace thumb
