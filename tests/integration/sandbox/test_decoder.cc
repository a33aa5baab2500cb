#include "tests/integration/sandbox/test_decoder.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <thread>

#include "platform/text.h"
#include "processor/image/magick_thumbnail_maker.h"
#include "processor/sandbox/channel.h"
#include "processor/sandbox/messages.h"

namespace thumb::testing {
namespace {

using Misdeed = std::function<void(const std::string& argument)>;

// If the call is not stopped but refused, the worker says so: "corrupt-image" with this as detail.
struct Refused {
  int error = 0;
};
void forbidden(long result) {
  if (result < 0) throw Refused{errno};
}

void open_socket(const std::string&) { forbidden(socket(AF_INET, SOCK_STREAM, 0)); }
void open_file(const std::string& path) { forbidden(open(path.c_str(), O_RDONLY)); }
void create_file(const std::string& path) {
  forbidden(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
}
void run_program(const std::string&) {
  char* const argv[] = {nullptr};
  forbidden(execv("/bin/true", argv));
}
void trace_process(const std::string& pid) {
  forbidden(ptrace(PTRACE_ATTACH, static_cast<pid_t>(parse_u64(pid).value_or(0)), 0, 0));
}
void signal_process(const std::string& pid) {
  const auto target = static_cast<pid_t>(parse_u64(pid).value_or(0));
  forbidden(tgkill(target, target, SIGTERM));
}
void fork_process(const std::string&) { forbidden(fork()); }
void make_code(const std::string&) {
  forbidden(mmap(nullptr, 4'096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0) == MAP_FAILED
                ? -1
                : 0);
}
void crash(const std::string&) { raise(SIGSEGV); }
void hang(const std::string&) {
  while (true) std::this_thread::yield();
}
// Hangs in one worker, not in those that replace it.
void hang_in(const std::string& pid) {
  if (static_cast<std::uint64_t>(getpid()) == parse_u64(pid).value_or(0)) hang({});
}
void leave(const std::string& code) {
  exit(static_cast<int>(parse_u64(code).value_or(0)));  // as ImageMagick does, handlers and all
}
// Until the limit; what malloc says then is what a decoder would tell.
void hog_memory(const std::string&) {
  constexpr std::size_t kChunk = 8U << 20U;
  while (void* chunk = std::malloc(kChunk)) std::memset(chunk, 1, kChunk);
  throw std::bad_alloc();
}
void answer_nonsense(const std::string& length) {
  [[maybe_unused]] const bool sent =
      send_struct(kChannelFd, WorkerReport{WorkerNews::kDone, parse_u64(length).value_or(0)});
  hang({});
}
void ask_twice(const std::string&) {
  for (int i = 0; i < 2; ++i) {
    [[maybe_unused]] const bool sent =
        send_struct(kChannelFd, WorkerReport{WorkerNews::kNeedMemory, 1});
  }
  hang({});
}
void shout(const std::string& megabytes) {
  const std::string line(1'023, 'x');
  for (std::uint64_t i = 0; i < parse_u64(megabytes).value_or(0) * 1'024; ++i) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

const std::map<std::string, Misdeed>& misdeeds() {
  static const std::map<std::string, Misdeed> kAll = {
      {"socket", open_socket}, {"open", open_file},           {"create", create_file},
      {"exec", run_program},   {"ptrace", trace_process},     {"signal", signal_process},
      {"fork", fork_process},  {"code", make_code},           {"crash", crash},
      {"hang", hang},          {"hang-in", hang_in},          {"exit", leave},
      {"hog", hog_memory},     {"nonsense", answer_nonsense}, {"ask-twice", ask_twice},
      {"shout", shout},
  };
  return kAll;
}

class TestDecoder final : public ThumbnailMaker {
 public:
  TestDecoder(std::unique_ptr<MagickRuntime> magick, const ReserveMemory& reserve)
      : magick_(std::move(magick)), maker_(*magick_, reserve) {}

  Result<MadeThumbnails> make(ByteView original, std::span<const VariantSpec> variants,
                              const MakeLimits& limits) override {
    const std::string text(as_text(original.first(std::min<std::size_t>(original.size(), 200))));
    if (!text.starts_with("test:")) return maker_.make(original, variants, limits);
    const std::string order = text.substr(5);
    const auto space = order.find(' ');
    const std::string argument = space == std::string::npos ? "" : order.substr(space + 1);
    try {
      misdeeds().at(order.substr(0, space))(argument);
    } catch (const Refused& refused) {
      return fail(ErrorKind::kCorrupt, "corrupt-image", "refused", std::strerror(refused.error));
    } catch (const std::bad_alloc&) {
      return fail(ErrorKind::kLimit, "out-of-memory", "no memory");
    }
    return fail(ErrorKind::kInternal, "internal", "nothing held it", std::to_string(getpid()));
  }

 private:
  std::unique_ptr<MagickRuntime> magick_;
  MagickThumbnailMaker maker_;
};

}  // namespace

Result<std::unique_ptr<ThumbnailMaker>> make_test_decoder(const DecoderSetup& setup) {
  MagickOptions options;
  options.memory_bytes = setup.memory_bytes;
  auto magick = MagickRuntime::start(options);
  if (!magick) return Failure(magick.error());
  return std::make_unique<TestDecoder>(std::move(*magick), setup.reserve);
}

}  // namespace thumb::testing
