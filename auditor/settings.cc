#include "auditor/settings.h"

namespace thumb::auditor {

using std::chrono::milliseconds;

void AuditorSettings::declare(Settings& settings) {
  common.declare(settings);
  settings.text("--blobs", blobs,
                "How to look at blobs: none, exist (and have the right size) or digest (read all)");
  settings.duration_ms("--grace-ms", grace, milliseconds(0), milliseconds(86'400'000),
                       "Log time that a request may be open, and blobs outlive their image");
  settings.duration_ms("--wait-ms", wait, milliseconds(0), milliseconds(86'400'000),
                       "Read on for up to so long until no request is open");
  settings.flag("--json", as_json, "Print one JSON object");
  settings.check([this]() -> std::optional<std::string> {
    if (blobs == "none" || blobs == "exist" || blobs == "digest") return std::nullopt;
    return "--blobs (THUMB_BLOBS) is none, exist or digest";
  });
}

BlobMode AuditorSettings::blob_mode() const {
  if (blobs == "none") return BlobMode::kNone;
  return blobs == "exist" ? BlobMode::kExist : BlobMode::kDigest;
}

}  // namespace thumb::auditor
