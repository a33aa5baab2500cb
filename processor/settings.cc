#include "processor/settings.h"

#include <algorithm>
#include <thread>

namespace thumb {

using std::chrono::milliseconds;

void ProcessorSettings::declare(Settings& settings) {
  common.declare(settings);
  settings.text("--group", group, "Consumer group; empty: \"<topic prefix>processor\"");
  settings.integer("--processor-workers", workers, 0, 256,
                   "Confined processes that decode images; 0: number of cores");
  settings.integer("--processor-max-in-work", max_in_work, 1, 10'000,
                   "Requests read and not finished yet");
  settings.integer("--processor-batch", batch, 1, 10'000, "Requests in one transaction, at most");
  settings.duration_ms(
      "--processor-linger-ms", linger, milliseconds(0), milliseconds(1'000),
      "How long finished work waits for company before its transaction while there "
      "is a backlog (more in work than --processor-workers); else it never waits");
  settings.integer("--max-pixels", max_pixels, 1, 1'000'000'000,
                   "Width x height of the largest image that is decoded");
  settings.integer("--max-original-bytes", max_original_bytes, 1, 1LL << 32U,
                   "Size of the largest original that is read");
  settings.integer(
      "--image-memory-bytes", image_memory_bytes, 64LL << 20U, 1LL << 40U,
      "Pixels of all images in work together; larger images wait for smaller ones, and "
      "no decoding process gets more");
  settings.duration_ms("--decode-timeout-ms", decode_timeout, milliseconds(100),
                       milliseconds(600'000), "Time that decoding one image may take");
  settings.duration_ms("--startup-timeout-ms", startup_timeout, milliseconds(0),
                       milliseconds(3'600'000),
                       "How long to wait at start for Kafka and the topics");
}

std::string ProcessorSettings::group_id() const {
  return group.empty() ? common.topic_prefix + "processor" : group;
}

std::size_t ProcessorSettings::worker_count() const {
  if (workers > 0) return static_cast<std::size_t>(workers);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace thumb
