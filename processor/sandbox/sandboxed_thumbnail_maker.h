// ThumbnailMaker in confined processes: a hostile image hurts itself only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/log.h"
#include "platform/metrics.h"
#include "processor/ports.h"
#include "processor/sandbox/memory_gate.h"
#include "processor/sandbox/sandbox_metrics.h"
#include "processor/sandbox/worker_supply.h"

namespace thumb {

struct SandboxOptions {
  std::size_t workers = 1;                          // processes that decode
  std::uint64_t memory_bytes = 1ULL << 30U;         // pixels of all images in work, together
  std::uint64_t max_original_bytes = 64ULL << 20U;  // larger ones are refused
  std::uint64_t max_pixels = 50'000'000;            // what one worker's memory has to suffice for
  unsigned images_per_worker = 1'000;               // then it is replaced: what it hoards is gone,
                                                    // and so is whoever took it over unnoticed
  std::chrono::milliseconds longest_wait{60'000};   // for a free worker
  std::chrono::milliseconds answer_grace{500};      // past max_time, for a worker's own timer
};

// Memory that one worker may hold beyond what it is born with.
[[nodiscard]] std::uint64_t worker_memory_bytes(const SandboxOptions& options);

// Thread-safe. Calls beyond the number of workers wait in order. With Retry::kBackoff it answers
// "decoder-busy" (no worker or no memory became free) and "decoder-unavailable" (they keep dying).
class SandboxedThumbnailMaker final : public ThumbnailMaker {
 public:
  // Returns once a worker is ready. REQUIRES: main() hands over to zygote_main() when is_zygote();
  // `log` and `metrics` outlive it. Error: kUnavailable/"decoder-unavailable", with what the
  // decoder said as detail.
  [[nodiscard]] static Result<std::unique_ptr<SandboxedThumbnailMaker>> start(
      const SandboxOptions& options, Log& log, Metrics& metrics);

  [[nodiscard]] Result<MadeThumbnails> make(ByteView original,
                                            std::span<const VariantSpec> variants,
                                            const MakeLimits& limits) override;

  // False while no decoding process can be started.
  [[nodiscard]] bool healthy() const { return supply_.healthy(); }

 private:
  SandboxedThumbnailMaker(const SandboxOptions& options, Log& log, Metrics& metrics);

  struct Attempt;
  [[nodiscard]] Attempt attempt(ByteView original, std::span<const VariantSpec> variants,
                                const MakeLimits& limits);
  [[nodiscard]] Attempt mourn(const std::shared_ptr<WorkerLink>& worker, bool begun);
  void keep_or_recycle(const std::shared_ptr<WorkerLink>& worker, std::size_t original_bytes);

  const SandboxOptions options_;
  Log& log_;
  SandboxMetrics metrics_;
  MemoryGate gate_;
  WorkerSupply supply_;
};

}  // namespace thumb
