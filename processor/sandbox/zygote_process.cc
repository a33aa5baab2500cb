#include "processor/sandbox/zygote_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "processor/sandbox/channel.h"

namespace thumb {
namespace {

constexpr std::chrono::seconds kEndLimit{2};

// glibc 2.36 declares pidfd_open for C only.
UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

// The binary that runs, even if its file has been replaced meanwhile.
constexpr const char* kThisBinary = "/proc/self/exe";

// None of the processor's settings: some are secrets, and a decoder needs none.
std::vector<std::string> clean_environment() {
  std::vector<std::string> environment = {"LC_ALL=C"};
  for (const char* name : {"TMPDIR", "LD_LIBRARY_PATH"}) {
    if (const char* value = std::getenv(name)) {
      environment.push_back(std::string(name) + "=" + value);
    }
  }
#if defined(__SANITIZE_ADDRESS__)
  // No leak check (it traces the process); memory runs out as without a sanitizer; 1 is
  // ImageMagick's.
  environment.emplace_back(
      "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=8:exitcode=66");
#endif
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// A group of its own: Ctrl-C in a terminal is the processor's to handle.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// stderr, the channel in its place, and nothing else of ours.
class SpawnFiles {
 public:
  SpawnFiles(int channel, int errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, channel, kChannelFd);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kChannelFd + 1);
  }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Result<std::unique_ptr<ZygoteProcess>> ZygoteProcess::start(
    const std::vector<std::string>& arguments) {
  auto channel = make_channel();
  if (!channel) return Failure(channel.error());
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return io_failure("pipe", errno);
  UniqueFd errors(ends[0]);
  const UniqueFd errors_end(ends[1]);
  fcntl(errors.get(), F_SETFL, O_NONBLOCK);

  std::vector<std::string> words = {program_invocation_short_name};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto environment = clean_environment();
  const SpawnFiles files(channel->theirs.get(), errors_end.get());
  const SpawnAttributes attributes;
  pid_t pid = -1;
  const int error = posix_spawn(&pid, kThisBinary, files.get(), attributes.get(),
                                pointers(words).data(), pointers(environment).data());
  if (error != 0) return io_failure("start of the decode zygote", error);
  return std::unique_ptr<ZygoteProcess>(
      new ZygoteProcess(std::move(channel->ours), std::move(errors), pid));
}

ZygoteProcess::~ZygoteProcess() {
  channel_.reset();  // which it takes for our end
  const UniqueFd ended = open_pidfd(pid_);
  const auto deadline = std::chrono::steady_clock::now() + kEndLimit;
  if (!ended.valid() || !wait_readable(ended.get(), deadline)) kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool ZygoteProcess::fork_worker(std::uint32_t worker, const std::array<int, 3>& fds) {
  return send_struct(channel_.get(), ZygoteRequest{ZygoteOrder::kFork, worker}, fds);
}

bool ZygoteProcess::kill_worker(std::uint32_t worker) {
  return send_struct(channel_.get(), ZygoteRequest{ZygoteOrder::kKill, worker});
}

std::optional<ZygoteReport> ZygoteProcess::next_report() {
  return receive_struct<ZygoteReport>(channel_.get());
}

std::string ZygoteProcess::read_errors() {
  std::array<char, 4'096> chunk{};
  const ssize_t length = read(errors_.get(), chunk.data(), chunk.size());
  return length > 0 ? std::string(chunk.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace thumb
