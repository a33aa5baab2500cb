// What the end of a worker says about the image that it had in work.
#pragma once

#include <optional>
#include <string>

#include "platform/result.h"

namespace thumb {

// How a worker ended: its status as of waitpid, or nothing if it went down with its zygote.
using Death = std::optional<int>;

enum class Cause {
  kLostZygote,  // ours
  kKilled,      // SIGKILL by somebody else: the kernel short of memory, or an operator
  kMemory,      // ImageMagick's own end when memory runs out
  kCrash,       // any other signal (SIGSYS: a forbidden system call) or exit
};

[[nodiscard]] Cause cause_of(const Death& death);

// "signal 11 (Segmentation fault)", "exit code 2"; for logs.
[[nodiscard]] std::string describe(const Death& death);

// The image's fault, to be told as a terminal event.
[[nodiscard]] Failure decoder_crashed(std::string_view detail);
[[nodiscard]] Failure decoder_out_of_memory(std::string_view detail);
[[nodiscard]] Failure decode_timeout();

}  // namespace thumb
