// ThumbnailMaker in this process, by Magick++.
#pragma once

#include <utility>

#include "processor/image/magick_runtime.h"
#include "processor/ports.h"

namespace thumb {

// Thread-safe. If `reserve` has no room for the pixels, the answer is "decoder-busy" (back off).
class MagickThumbnailMaker final : public ThumbnailMaker {
 public:
  // REQUIRES: `runtime` outlives it.
  MagickThumbnailMaker(const MagickRuntime& runtime, ReserveMemory reserve)
      : runtime_(runtime), reserve_(std::move(reserve)) {}

  [[nodiscard]] Result<MadeThumbnails> make(ByteView original,
                                            std::span<const VariantSpec> variants,
                                            const MakeLimits& limits) override;

 private:
  [[nodiscard]] Result<MadeThumbnails> make_unguarded(ByteView original,
                                                      std::span<const VariantSpec> variants,
                                                      const MakeLimits& limits);
  const MagickRuntime& runtime_;
  ReserveMemory reserve_;
};

}  // namespace thumb
