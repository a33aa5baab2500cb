// What the head of a file says of its size, read without a decoder: some decode first and then
// tell. Pure.
#pragma once

#include <optional>

#include "platform/bytes.h"
#include "schemas/events.h"
#include "schemas/image_format.h"

namespace thumb {

// Of the canvas, where there is one; orientation not applied. Nothing if the head is cut off or
// makes no sense: judging that is the decoder's. REQUIRES: `file` begins as `format` does.
[[nodiscard]] std::optional<PixelSize> claimed_size(ByteView file, ImageFormat format);

}  // namespace thumb
