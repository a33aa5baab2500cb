// Every setting with its default, limits and one sentence.
#include "ingest/settings.h"

#include <fmt/format.h>

#include "platform/loopback.h"

namespace thumb::ingest {

using std::chrono::milliseconds;

void IngestSettings::declare(Settings& settings) {
  common.declare(settings);
  settings.text("--http-host", http_host, "Address to listen on");
  settings.integer("--http-port", http_port, 0, 65'535, "Port to listen on; 0: any free one");
  settings.flag("--allow-public", allow_public,
                "Listen on an address that others can reach, though there are no API keys");
  settings.integer("--max-body-bytes", max_body_bytes, 1, 1LL << 40,
                   "Largest request body; past it 413");
  settings.integer("--max-inflight-bytes", max_inflight_bytes, 1, 1LL << 40,
                   "All bodies being received at once; past it 503");
  settings.integer("--max-listeners", max_listeners, 0, 100'000,
                   "Event streams open at once; past it 503");
  settings.integer("--max-pixels", max_pixels, 1, 1'000'000'000,
                   "Largest width x height of an image; past it 422");
  settings.integer("--ingest-workers", ingest_workers, 1, 256,
                   "Threads that store uploads and open files");
  settings.duration_ms("--produce-timeout-ms", produce_timeout, milliseconds(100),
                       milliseconds(300'000), "How long Kafka may take to acknowledge an event");
  settings.duration_ms("--startup-timeout-ms", startup_timeout, milliseconds(0),
                       milliseconds(3'600'000), "How long to wait for Kafka and the topics");
  settings.check([this]() -> std::optional<std::string> {
    if (allow_public || is_loopback(http_host)) return std::nullopt;
    return fmt::format(
        "--http-host (THUMB_HTTP_HOST): '{}' can be reached from other machines, and anyone there "
        "could read and delete images; if that is meant, set --allow-public (THUMB_ALLOW_PUBLIC)",
        http_host);
  });
  settings.text("--view-url", view_url,
                "Where a projector answers for its view, http://host:port; empty: read the view's "
                "folder on this machine");
  settings.check([this]() -> std::optional<std::string> {
    if (view_url.empty() || view_url.starts_with("http://") || view_url.starts_with("https://")) {
      return std::nullopt;
    }
    return fmt::format("--view-url (THUMB_VIEW_URL): '{}' is not of the form http://host:port",
                       view_url);
  });
  settings.check([this]() -> std::optional<std::string> {
    if (max_inflight_bytes >= max_body_bytes) return std::nullopt;
    return "--max-inflight-bytes (THUMB_MAX_INFLIGHT_BYTES) is below --max-body-bytes "
           "(THUMB_MAX_BODY_BYTES)";
  });
}

ServiceOptions IngestSettings::service(std::int32_t partitions) const {
  ServiceOptions options;
  options.server.host = http_host;
  options.server.port = static_cast<std::uint16_t>(http_port);
  options.server.max_body_bytes = static_cast<std::uint64_t>(max_body_bytes);
  options.server.max_inflight_body_bytes = static_cast<std::uint64_t>(max_inflight_bytes);
  options.server.max_streams = static_cast<std::size_t>(max_listeners);
  options.partitions = partitions;
  options.max_pixels = static_cast<std::uint64_t>(max_pixels);
  options.workers = static_cast<std::size_t>(ingest_workers);
  return options;
}

}  // namespace thumb::ingest
