// ImageMagick's process-wide state, set up once: environment, policy, limits, coders. A fenced
// global.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/bytes.h"
#include "platform/result.h"

namespace thumb {

struct MagickOptions {
  std::uint64_t memory_bytes = 1ULL << 30U;  // of all images in work, together
  std::uint32_t max_side = 64'000;           // width or height of one image
};

// The proof that ImageMagick is ready. Immutable; thread-safe.
class MagickRuntime {
 public:
  // REQUIRES: called once in a process, before any thread is made (it sets environment variables).
  // Errors: kInternal/"image-engine" (a coder of ours is missing), kUnavailable/"io-error".
  [[nodiscard]] static Result<std::unique_ptr<MagickRuntime>> start(const MagickOptions& options);

  [[nodiscard]] std::uint64_t memory_bytes() const { return options_.memory_bytes; }
  // An ICC profile of sRGB, to convert other profiles to.
  [[nodiscard]] ByteView srgb_profile() const { return as_bytes(srgb_profile_); }

 private:
  MagickRuntime(const MagickOptions& options, std::string srgb_profile)
      : options_(options), srgb_profile_(std::move(srgb_profile)) {}

  MagickOptions options_;
  std::string srgb_profile_;
};

}  // namespace thumb
