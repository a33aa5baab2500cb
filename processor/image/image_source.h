// Reading an image's bytes: first its measures, then its pixels, no larger than they need to be.
#pragma once

#include <Magick++.h>

#include <chrono>
#include <optional>

#include "platform/bytes.h"
#include "platform/result.h"
#include "processor/image/jpeg/jpeg_head.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb {

// What the head of the file says.
struct ImageHead {
  ImageFormat format = ImageFormat::kJpeg;
  PixelSize size;       // of the canvas, which a GIF's or WebP's first frame may cover in part only
  int orientation = 1;  // EXIF, 1 to 8
  bool progressive = false;                 // JPEG
  std::optional<JpegHead> plain_jpeg = {};  // where there is one
};

// Cancels ImageMagick when the time is over. Must outlive the reading.
class DecodeTimer {
 public:
  explicit DecodeTimer(std::chrono::milliseconds limit)
      : deadline_(std::chrono::steady_clock::now() + limit) {}
  DecodeTimer(const DecodeTimer&) = delete;
  DecodeTimer& operator=(const DecodeTimer&) = delete;

  [[nodiscard]] bool expired() const { return expired_; }
  void attach(MagickCore::ImageInfo& info);

 private:
  static MagickCore::MagickBooleanType on_progress(const char* what,
                                                   MagickCore::MagickOffsetType at,
                                                   MagickCore::MagickSizeType of, void* self);
  std::chrono::steady_clock::time_point deadline_;
  bool expired_ = false;
};

// Decodes no pixels. REQUIRES: `bytes` begin as `format` does.
[[nodiscard]] Result<ImageHead> read_head(ByteView bytes, ImageFormat format, DecodeTimer& timer);

// The first frame on its canvas. `at_least` (orientation not applied) is the size that the result
// must not fall below: a JPEG is scaled down while it is decoded.
[[nodiscard]] Result<Magick::Image> read_picture(ByteView bytes, const ImageHead& head,
                                                 PixelSize at_least, DecodeTimer& timer);

// Memory for read_picture and a resize of its result, about.
struct DecodingBytes {
  std::uint64_t held = 0;   // at once
  std::uint64_t asked = 0;  // at most: what ImageMagick's limits count, touched or not
};
[[nodiscard]] DecodingBytes decoding_bytes(const ImageHead& head, PixelSize at_least);

}  // namespace thumb
