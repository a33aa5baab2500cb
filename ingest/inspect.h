// What an image file's own structure tells before anything is decoded: format, size in pixels, and
// whether the file is provably cut off. Pure; total on any bytes; linear in their number.
//
// It walks segments, chunks and blocks, never pixels: a file that passes may still fail to decode.
#pragma once

#include <cstdint>

#include "platform/bytes.h"
#include "platform/result.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb::ingest {

struct ImageHead {
  ImageFormat format{};
  PixelSize size;  // as the header says; orientation not applied
  friend bool operator==(const ImageHead&, const ImageHead&) = default;
};

// Errors, none to be retried with the same bytes:
//   kInvalid/"empty-body", kUnsupported/"unsupported-image-type" (by the magic bytes),
//   kLimit/"too-many-pixels" (width x height past `max_pixels`; told before a truncation is),
//   kInvalid/"truncated-image" (the structure goes on past the last byte),
//   kInvalid/"malformed-image" (the structure can't be that of the format).
[[nodiscard]] Result<ImageHead> inspect_image(ByteView bytes, std::uint64_t max_pixels);

}  // namespace thumb::ingest
