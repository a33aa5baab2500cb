// The process that decodes: confined, one image at a time, its bytes in and thumbnails out over
// shared memory.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "platform/file_io.h"
#include "processor/ports.h"
#include "processor/sandbox/confine.h"

namespace thumb {

struct WorkerPart {
  UniqueFd channel;
  UniqueFd input;
  UniqueFd output;
  pid_t zygote = 0;  // who forked it: with it, it ends
  ConfineLimits limits;
};

// Runs in a freshly forked process and never returns: it ends when its channel closes.
[[noreturn]] void worker_main(WorkerPart part, ThumbnailMaker& maker);

// For the maker of a worker: asks the processor for the memory of an image's pixels.
[[nodiscard]] bool ask_processor_for_memory(std::uint64_t bytes);

}  // namespace thumb
