// ThumbnailMaker in this process, by Magick++.
#pragma once

#include "processor/image/magick_runtime.h"
#include "processor/image/memory_gate.h"
#include "processor/ports.h"

namespace thumb {

// Thread-safe. Pixels of all calls together stay below the runtime's memory; a call that has to
// wait too long for its share is told "image-engine-busy" (back off).
class MagickThumbnailMaker final : public ThumbnailMaker {
 public:
  // REQUIRES: `runtime` outlives it.
  explicit MagickThumbnailMaker(const MagickRuntime& runtime);

  [[nodiscard]] Result<MadeThumbnails> make(ByteView original,
                                            std::span<const VariantSpec> variants,
                                            const MakeLimits& limits) override;

 private:
  [[nodiscard]] Result<MadeThumbnails> make_unguarded(ByteView original,
                                                      std::span<const VariantSpec> variants,
                                                      const MakeLimits& limits);
  const MagickRuntime& runtime_;
  MemoryGate gate_;
};

}  // namespace thumb
