#include "processor/sandbox/death.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace thumb {
namespace {

// ImageMagick leaves with severity - FatalErrorException + 1, and what is fatal to it is an
// allocation that failed: ResourceLimitFatalError, the first of them (magick/exception-private.h).
constexpr int kMagickResourceExit = 1;

}  // namespace

Cause cause_of(const Death& death) {
  if (!death) return Cause::kLostZygote;
  if (WIFSIGNALED(*death) && WTERMSIG(*death) == SIGKILL) return Cause::kKilled;
  if (WIFEXITED(*death) && WEXITSTATUS(*death) == kMagickResourceExit) return Cause::kMemory;
  return Cause::kCrash;
}

std::string describe(const Death& death) {
  if (!death) return "lost with its zygote";
  if (WIFEXITED(*death)) return "exit code " + std::to_string(WEXITSTATUS(*death));
  const char* name = sigdescr_np(WTERMSIG(*death));
  return "signal " + std::to_string(WTERMSIG(*death)) + " (" + (name == nullptr ? "?" : name) + ")";
}

Failure decoder_crashed(std::string_view detail) {
  return fail(ErrorKind::kCorrupt, "decoder-crashed",
              "The image made its decoder crash, which was isolated.", detail);
}

Failure decoder_out_of_memory(std::string_view detail) {
  return fail(ErrorKind::kLimit, "out-of-memory", "The image needs too much memory to decode.",
              detail);
}

Failure decode_timeout() {
  return fail(ErrorKind::kLimit, "decode-timeout", "The image took too long to decode.",
              "ended by the processor's clock");
}

}  // namespace thumb
