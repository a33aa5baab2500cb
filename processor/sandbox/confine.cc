#include "processor/sandbox/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "platform/file_io.h"
#include "processor/sandbox/syscall_filter.h"

namespace thumb {
namespace {

bool limit(__rlimit_resource what, rlim_t value) {
  const rlimit both{value, value};
  return setrlimit(what, &both) == 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr rlim_t kMostFds = 16;  // see syscall_filter.cc
#else
constexpr rlim_t kMostFds = 0;  // none beyond those that are open
#endif

// No RLIMIT_CPU: it adds up over all images of a worker; the processor's clock ends what hangs.
bool limit_resources(const ConfineLimits& limits) {
  const bool data = limit(RLIMIT_DATA, limits.data_bytes);
  const bool no_core = limit(RLIMIT_CORE, 0);  // it would hold somebody's picture
  const bool no_growing_files = limit(RLIMIT_FSIZE, 0);
  const bool no_new_fds = limit(RLIMIT_NOFILE, kMostFds);
  return data && no_core && no_growing_files && no_new_fds;
}

// Handles every right of the first version of Landlock and grants none (landlock(7)).
bool forbid_files() {
  landlock_ruleset_attr nothing{};
  nothing.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;
  const UniqueFd rules(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &nothing, sizeof(nothing), 0)));
  return rules.valid() && syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

}  // namespace

std::uint64_t data_bytes_now() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0, shared = 0, text = 0, library = 0, data = 0;
  statm >> total >> resident >> shared >> text >> library >> data;
  return data * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint32_t confine(const ConfineLimits& limits) {
  std::uint32_t held = 0;
  prctl(PR_SET_DUMPABLE, 0);  // no ptrace by others of this user, no core
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) held |= kByNoNewPrivileges;
  if (forbid_files()) held |= kByLandlock;  // takes a descriptor, so before the limits
  if (limit_resources(limits)) held |= kByResourceLimits;
  if (filter_syscalls()) held |= kBySeccomp;  // last: it forbids all of the above
  return held;
}

}  // namespace thumb
