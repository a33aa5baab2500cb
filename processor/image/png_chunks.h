// What is done with a PNG before ImageMagick sees it. Texts are taken out: a thumbnail carries
// none, and ImageMagick ends the whole process when compressed texts unpack to more than memory
// holds. Pure.
#pragma once

#include <optional>
#include <string>

#include "platform/bytes.h"
#include "schemas/events.h"

namespace thumb {

// A copy of the file without its tEXt, zTXt and iTXt chunks; nothing if it has none of them.
// A file whose chunks make no sense is copied as it is from there on: judging it is the decoder's.
[[nodiscard]] std::optional<std::string> png_without_texts(ByteView png);

// What the file claims to measure; nothing if it does not begin with a header chunk. libpng refuses
// absurd sizes without saying why.
[[nodiscard]] std::optional<PixelSize> png_claimed_size(ByteView png);

}  // namespace thumb
