// What the workers of the sandbox tests decode with: ImageMagick, and for bytes that begin with
// "test:" whatever misdeed they name.
#pragma once

#include <memory>

#include "processor/sandbox/zygote.h"

namespace thumb::testing {

// For zygote_main().
[[nodiscard]] Result<std::unique_ptr<ThumbnailMaker>> make_test_decoder(const DecoderSetup& setup);

}  // namespace thumb::testing
