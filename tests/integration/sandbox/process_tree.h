// Looks at the processes of the sandbox from outside, by /proc.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace thumb::testing {

// Running ones only: not those that ended and wait to be collected.
[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t parent);
[[nodiscard]] bool is_running(pid_t pid);
// Those of `pids` that are at work, and have been for a while.
[[nodiscard]] std::vector<pid_t> busiest(const std::vector<pid_t>& pids);
[[nodiscard]] std::string environment_of(pid_t pid);
[[nodiscard]] std::size_t resident_bytes(pid_t pid);

}  // namespace thumb::testing
