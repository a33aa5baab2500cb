// The list of system calls that a worker may make; any other ends it (seccomp).
#pragma once

namespace thumb {

// For good, for this process. False: the kernel or the container does not permit filters.
[[nodiscard]] bool filter_syscalls();

}  // namespace thumb
