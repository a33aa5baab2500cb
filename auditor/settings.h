// Settings of the auditor beyond those that every binary has.
#pragma once

#include <chrono>
#include <string>

#include "auditor/blob_check.h"
#include "platform/common_settings.h"
#include "platform/settings.h"

namespace thumb::auditor {

struct AuditorSettings {
  CommonSettings common;
  std::string blobs = "digest";             // THUMB_BLOBS: none, exist or digest
  std::chrono::milliseconds grace{60'000};  // THUMB_GRACE_MS
  std::chrono::milliseconds wait{0};        // THUMB_WAIT_MS
  bool as_json = false;                     // THUMB_JSON

  void declare(Settings& settings);
  [[nodiscard]] BlobMode blob_mode() const;  // REQUIRES: parse() succeeded
};

}  // namespace thumb::auditor
