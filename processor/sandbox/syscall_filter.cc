#include "processor/sandbox/syscall_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <type_traits>

namespace thumb {
namespace {

struct FilterDeleter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, FilterDeleter>;

// What decoding takes: memory, time, locks, the channel, stderr. None of these names a file.
constexpr std::array kAllowed = {
    SCMP_SYS(recvmsg),      SCMP_SYS(sendmsg),      SCMP_SYS(read),
    SCMP_SYS(write),        SCMP_SYS(close),        SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(brk),          SCMP_SYS(madvise),
    SCMP_SYS(futex),        SCMP_SYS(times),        SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getrusage),    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid),
    SCMP_SYS(gettid),       SCMP_SYS(getrandom),    SCMP_SYS(sched_yield),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),   SCMP_SYS(restart_syscall),
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    SCMP_SYS(sigaltstack),  // a report is written on a stack of its own
    SCMP_SYS(pipe2),        // whether memory can be read is tried by writing it to a pipe
#endif
};

// Libraries try these and go on without: locale and message files, the number of cores.
struct Refused {
  int syscall;
  int error;
};
constexpr std::array kRefused = {
    Refused{SCMP_SYS(openat), EACCES},     Refused{SCMP_SYS(open), EACCES},
    Refused{SCMP_SYS(access), EACCES},     Refused{SCMP_SYS(faccessat2), EACCES},
    Refused{SCMP_SYS(newfstatat), ENOENT}, Refused{SCMP_SYS(fstat), EBADF},
    Refused{SCMP_SYS(stat), ENOENT},       Refused{SCMP_SYS(readlink), ENOENT},
    Refused{SCMP_SYS(lseek), ESPIPE},      Refused{SCMP_SYS(ioctl), ENOTTY},
    Refused{SCMP_SYS(clone3), ENOSYS},     Refused{SCMP_SYS(sched_getaffinity), EPERM},
    Refused{SCMP_SYS(sysinfo), EPERM},     Refused{SCMP_SYS(prlimit64), EPERM},
    Refused{SCMP_SYS(getcwd), ENOENT},
};

bool add_rules(scmp_filter_ctx filter) {
  bool good = std::ranges::all_of(kAllowed, [&](int syscall) {
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, syscall, 0) == 0;
  });
  good =
      good && std::ranges::all_of(kRefused, [&](const Refused& refused) {
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refused.error)),
                                refused.syscall, 0) == 0;
      });
  // Memory yes, code no.
  for (const int syscall : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, syscall, 1,
                                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
  }
  // abort() signals the process itself; signals to others of this user are not its business.
  good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()))) == 0;
  return good;
}

}  // namespace

bool filter_syscalls() {
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
  return filter != nullptr && add_rules(filter.get()) && seccomp_load(filter.get()) == 0;
}

}  // namespace thumb
