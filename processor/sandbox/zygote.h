// The process that workers are forked from: it loads the image engine once, has one thread and no
// secrets, and never sees an image.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/result.h"
#include "processor/ports.h"

namespace thumb {

struct DecoderSetup {
  std::uint64_t memory_bytes = 0;  // the most that one worker may hold
  ReserveMemory reserve;           // to be asked before pixels are decoded
};

// Makes what decodes, with everything loaded that decoding needs: workers can't open a file. Called
// once in a zygote; what it gives is used in the workers only, but for a warm-up.
using DecoderFactory =
    std::function<Result<std::unique_ptr<ThumbnailMaker>>(const DecoderSetup& setup)>;

// What to start the binary with, so that it becomes a zygote.
[[nodiscard]] std::vector<std::string> zygote_arguments(std::uint64_t memory_bytes);
[[nodiscard]] bool is_zygote(int argc, const char* const* argv);

// The zygote's main: serves until the processor is gone, then ends its workers and returns the exit
// code. REQUIRES: is_zygote(); first thing in main, before any thread.
[[nodiscard]] int zygote_main(int argc, const char* const* argv, const DecoderFactory& factory);

}  // namespace thumb
