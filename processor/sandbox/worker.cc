#include "processor/sandbox/worker.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <exception>
#include <string>

#include "processor/sandbox/channel.h"
#include "processor/sandbox/job_codec.h"
#include "processor/sandbox/messages.h"
#include "processor/sandbox/shared_area.h"

namespace thumb {
namespace {

constexpr int kExitClean =
    0;  // _exit throughout: what the zygote registered to run at exit is not ours
constexpr int kExitBroken = 2;  // not 1, which is ImageMagick's (see death.h)

void tell(WorkerNews news, std::uint64_t value = 0) {
  if (!send_struct(kChannelFd, WorkerReport{news, value})) _exit(kExitClean);
}

// The kernel clears the signal at a fork, and sends none if the parent has ended before it is set.
void die_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitClean);
}

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

struct Areas {
  SharedMapping input;
  SharedMapping output;
};

// Leaves no descriptor open but stderr and the channel.
Areas take_areas(const WorkerPart& part) {
  auto input = SharedMapping::of(part.input.get(), SharedMapping::Access::kRead);
  auto output = SharedMapping::of(part.output.get(), SharedMapping::Access::kReadWrite);
  const bool moved = dup2(part.channel.get(), kChannelFd) == kChannelFd;
  if (!input || !output || !moved) _exit(kExitBroken);
  close_range(kChannelFd + 1, ~0U, 0);
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  return {std::move(*input), std::move(*output)};
}

Result<MadeThumbnails> perform(const DecodeJob& job, const Areas& areas, ThumbnailMaker& maker) {
  return maker.make(areas.input.bytes().first(job.original_bytes), job.variants, job.limits);
}

void answer(const DecodeJob& job, const Areas& areas, ThumbnailMaker& maker) {
  std::string bytes = encode_answer(perform(job, areas, maker));
  if (bytes.size() > areas.output.bytes().size()) {
    bytes = encode_answer(fail(ErrorKind::kLimit, "thumbnails-too-large",
                               "The thumbnails asked for are too large together."));
  }
  std::memcpy(areas.output.bytes().data(), bytes.data(), bytes.size());
  tell(WorkerNews::kDone, bytes.size());
}

}  // namespace

void worker_main(WorkerPart part, ThumbnailMaker& maker) {
  die_with(part.zygote);
  reset_signals();
  prctl(PR_SET_NAME, "decode-worker");
  const Areas areas = take_areas(part);
  tell(WorkerNews::kReady, confine(part.limits));
  std::array<std::byte, kMaxJobBytes> message{};
  while (const auto length = receive_message(kChannelFd, message)) {
    const auto job = decode_job(std::span(message).first(*length));
    if (!job || job->original_bytes > areas.input.bytes().size()) _exit(kExitBroken);
    tell(WorkerNews::kBegun);
    answer(*job, areas, maker);
  }
  _exit(kExitClean);
}

bool ask_processor_for_memory(std::uint64_t bytes) {
  tell(WorkerNews::kNeedMemory, bytes);
  const auto grant = receive_struct<MemoryGrant>(kChannelFd);
  return grant && grant->granted;
}

}  // namespace thumb
