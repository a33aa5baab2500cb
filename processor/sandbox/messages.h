// What the three kinds of process say to each other. All of them are the same binary, so these are
// plain structs; what a worker says is believed only where a lie hurts nobody but its own image.
#pragma once

#include <cstdint>
#include <string_view>

namespace thumb {

// --- processor <-> zygote ---

enum class ZygoteOrder : std::uint32_t {
  kFork = 1,  // with three descriptors: channel, input, output
  kKill = 2,
};
struct ZygoteRequest {
  ZygoteOrder order = ZygoteOrder::kFork;
  std::uint32_t worker = 0;  // a number that is never used again
};

enum class ZygoteNews : std::uint32_t {
  kUp = 1,          // the image engine is ready
  kForked = 2,      // pid
  kForkFailed = 3,  // status is the errno
  kExited = 4,      // pid, status as of waitpid
};
struct ZygoteReport {
  ZygoteNews news = ZygoteNews::kUp;
  std::uint32_t worker = 0;
  std::int32_t pid = 0;
  std::int32_t status = 0;
};

// --- processor <-> worker ---

enum class WorkerNews : std::uint32_t {
  kReady = 1,       // confined; value: the ConfinedBy bits that hold
  kBegun = 2,       // from here on, its death is the image's fault
  kNeedMemory = 3,  // value: bytes for the pixels; waits for a Grant
  kDone = 4,        // value: length of the answer in the output area
};
struct WorkerReport {
  WorkerNews news = WorkerNews::kReady;
  std::uint64_t value = 0;
};
struct MemoryGrant {
  bool granted = false;
};
// To the worker: a job as of job_codec.h, or a MemoryGrant.
inline constexpr std::size_t kMaxJobBytes = 64U << 10U;

// Fixed places of descriptors: of the channel to the processor, in the zygote and in a worker.
inline constexpr int kChannelFd = 3;

// The subcommand under which the binary starts as a zygote. Not for users: it is in no help.
inline constexpr std::string_view kZygoteCommand = "decode-zygote";

}  // namespace thumb
