// Ports of the processor: what its handler needs done by others. Of ThumbnailMaker there are two:
// processor/sandbox hands images to confined processes, in which processor/image makes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "platform/bytes.h"
#include "platform/result.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb {

// What one image may cost.
struct MakeLimits {
  std::uint64_t max_pixels = 50'000'000;       // width x height of the original
  std::chrono::milliseconds max_time{10'000};  // for decoding; wall clock
};

struct MadeThumbnail {
  std::string name;  // of the variant
  ImageFormat format = ImageFormat::kJpeg;
  PixelSize size;
  std::string bytes;
  std::string sha256;  // of `bytes`, 64 lower-case hex digits
};

struct MadeThumbnails {
  PixelSize original_size;                // as decoded, orientation applied
  std::vector<MadeThumbnail> thumbnails;  // one for each variant asked for, in that order
};

// Thread-safe; a call keeps one core busy until it returns.
//
// Errors that no repeat changes (the image's own fault): "corrupt-image", "unsupported-format",
// "too-many-pixels", "decode-timeout", "out-of-memory", "decoder-crashed", "thumbnails-too-large",
// "original-too-large", "internal". The message may be published.
// Errors with Retry::kBackoff are the machine's fault ("decoder-busy"): ask again later.
class ThumbnailMaker {
 public:
  virtual ~ThumbnailMaker() = default;
  // `original` is not kept.
  [[nodiscard]] virtual Result<MadeThumbnails> make(ByteView original,
                                                    std::span<const VariantSpec> variants,
                                                    const MakeLimits& limits) = 0;
};

// Asks for room for the pixels of one image, which is held until the image is done. May wait.
// False: there is none at the moment.
using ReserveMemory = std::function<bool(std::uint64_t bytes)>;

}  // namespace thumb
