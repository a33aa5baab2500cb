// One request from its event to its terminal event: fetch, make, store. What is sent when, and what
// is committed, is the runner's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "kafka/producer.h"
#include "platform/blob_store.h"
#include "platform/clock.h"
#include "platform/log.h"
#include "processor/ports.h"
#include "processor/processor_metrics.h"
#include "processor/random_bytes.h"
#include "processor/work.h"
#include "schemas/topology.h"

namespace thumb {

struct HandlerOptions {
  MakeLimits limits;
  std::uint64_t max_original_bytes = 64ULL << 20U;
};

// Thread-safe.
class RequestHandler {
 public:
  struct Ports {
    BlobStore& blobs;
    ThumbnailMaker& maker;
    kafka::Producer& hints;  // thumbnail-started, outside of any transaction
    const Clock& clock;
    RandomBytes random;
    Log& log;
    ProcessorMetrics& metrics;
  };

  // REQUIRES: what `ports` refers to outlives it.
  RequestHandler(Ports ports, TopicNames names, HandlerOptions options);

  // Runs to the end and may be repeated: blobs are named by their content, events by their request.
  // A crash in the middle leaves blobs that no event names. Whatever is the image's fault is an
  // Outcome; an error is always a passing one (back off, then call again with attempt + 1).
  // Once `revoked` is asked to stop, nothing is stored any more: the partition's next owner may
  // have removed the image since. What was stored behind such a removal is taken back.
  [[nodiscard]] Result<Outcome> handle(const Work& work, unsigned attempt,
                                       const std::stop_token& revoked = {});

 private:
  struct Hop;  // one request on its way through

  [[nodiscard]] Result<Outcome> perform(Hop& hop, unsigned attempt);
  [[nodiscard]] Result<Outcome> remove_image(const Work& work);
  [[nodiscard]] Result<Outcome> make_thumbnails(Hop& hop, const BlobRef& original,
                                                std::span<const VariantSpec> variants);
  [[nodiscard]] Result<std::string> fetch(const BlobRef& original);
  [[nodiscard]] Result<std::vector<Variant>> store(const ImageId& image,
                                                   const std::vector<MadeThumbnail>& made);
  [[nodiscard]] Result<void> take_back_if_deleted(const ImageId& image, const BlobRef& original);
  [[nodiscard]] Result<Outcome> failed_or_passing(const Hop& hop, const Error& error);
  [[nodiscard]] Outcome terminal(const Hop& hop, Ending ending, const Event& event);
  void announce(const Hop& hop);

  Ports ports_;
  TopicNames names_;
  HandlerOptions options_;
};

}  // namespace thumb
