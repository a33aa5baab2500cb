#include "processor/sandbox/zygote.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <string_view>

#include "platform/settings.h"
#include "platform/text.h"
#include "processor/sandbox/channel.h"
#include "processor/sandbox/messages.h"
#include "processor/sandbox/worker.h"

namespace thumb {
namespace {

// A worker can't open files, so what is read at first use has to be used once before: the message
// files of a codec that fails, and of one that works.
constexpr std::string_view kWholeGif(
    "GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02"
    "D\x01\0;",
    43);
constexpr std::string_view kBrokenGif("GIF89a\x01\0\x01\0", 10);

void warm_up(ThumbnailMaker& maker) {
  const std::array variants = {VariantSpec{"warm-up", 1, 1}};
  for (const auto gif : {kWholeGif, kBrokenGif}) {
    [[maybe_unused]] const auto made = maker.make(as_bytes(gif), variants, {});
  }
}

class Zygote {
 public:
  Zygote(ThumbnailMaker& maker, std::uint64_t memory_bytes)
      : maker_(maker), worker_limits_{data_bytes_now() + memory_bytes} {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    deaths_ = UniqueFd(signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC));
  }

  void serve() {
    bool connected = report(ZygoteNews::kUp, 0, getpid(), 0);
    while (connected) {
      std::array<pollfd, 2> waited = {pollfd{kChannelFd, POLLIN, 0},
                                      pollfd{deaths_.get(), POLLIN, 0}};
      if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) break;
      if (waited[1].revents != 0) connected = reap();
      if (connected && waited[0].revents != 0) connected = obey();
    }
    end_workers();
  }

 private:
  static bool report(ZygoteNews news, std::uint32_t worker, pid_t pid, int status) {
    return send_struct(kChannelFd, ZygoteReport{news, worker, pid, status});
  }

  bool obey() {
    std::vector<UniqueFd> fds;
    const auto request = receive_struct<ZygoteRequest>(kChannelFd, &fds);
    if (!request) return false;
    if (request->order == ZygoteOrder::kFork) return fork_worker(request->worker, std::move(fds));
    for (const auto& [pid, worker] : workers_) {
      if (worker == request->worker) kill(pid, SIGKILL);  // not reaped yet: the pid is its own
    }
    return true;
  }

  bool fork_worker(std::uint32_t worker, std::vector<UniqueFd> fds) {
    if (fds.size() != 3) return report(ZygoteNews::kForkFailed, worker, 0, EINVAL);
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
      worker_main({std::move(fds[0]), std::move(fds[1]), std::move(fds[2]), self, worker_limits_},
                  maker_);
    }
    if (pid < 0) return report(ZygoteNews::kForkFailed, worker, 0, errno);
    workers_.emplace(pid, worker);
    return report(ZygoteNews::kForked, worker, pid, 0);
  }

  bool reap() {
    signalfd_siginfo ignored{};
    while (read(deaths_.get(), &ignored, sizeof(ignored)) > 0) {
    }
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto ended = workers_.extract(pid);
      if (!ended.empty() && !report(ZygoteNews::kExited, ended.mapped(), pid, status)) return false;
    }
    return true;
  }

  void end_workers() {
    for (const auto& [pid, worker] : workers_) kill(pid, SIGKILL);
    for (const auto& [pid, worker] : workers_) waitpid(pid, nullptr, 0);
  }

  ThumbnailMaker& maker_;
  const ConfineLimits worker_limits_;
  UniqueFd deaths_;
  std::map<pid_t, std::uint32_t> workers_;
};

}  // namespace

std::vector<std::string> zygote_arguments(std::uint64_t memory_bytes) {
  return {std::string(kZygoteCommand), std::to_string(memory_bytes)};
}

bool is_zygote(int argc, const char* const* argv) { return argc > 1 && argv[1] == kZygoteCommand; }

int zygote_main(int argc, const char* const* argv, const DecoderFactory& factory) {
  // Even if it hangs, it does not outlive the processor.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "decode-zygote");
  const auto memory_bytes = parse_i64(argc == 3 ? argv[2] : "");
  if (!memory_bytes || *memory_bytes <= 0) {
    std::fputs("decode-zygote is started by the processor, not by hand\n", stderr);
    return kExitUsage;
  }
  const auto memory = static_cast<std::uint64_t>(*memory_bytes);
  // Room to warm up without asking anybody: there is no image yet.
  bool serving = false;
  const auto maker = factory({memory, [&serving](std::uint64_t bytes) {
                                return !serving || ask_processor_for_memory(bytes);
                              }});
  if (!maker) {
    std::fprintf(stderr, "%s: %s\n", maker.error().message.c_str(), maker.error().detail.c_str());
    return kExitRuntime;
  }
  warm_up(**maker);
  serving = true;
  Zygote(**maker, memory).serve();
  return kExitClean;
}

}  // namespace thumb
