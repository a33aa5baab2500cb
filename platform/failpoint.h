// Named steps at which a test has the process end as `kill -9` ends it, or stand still, to see what
// that leaves behind at just this step. Compiled in by the CMake option THUMB_FAILPOINTS alone
// (presets asan and tsan); in other builds nothing is left of them.
//
//   THUMB_FAILPOINT=<name>[:<n>[:stop]]
//
// At the n-th passage of that step, counted over all threads (default: the first), by SIGKILL, or
// by SIGSTOP until a SIGCONT comes. For tests, not a setting: a name that no step bears does
// nothing.
#pragma once

#include <string_view>

namespace thumb {

#ifdef THUMB_FAILPOINTS
// Thread-safe. If the environment names this passage: one line on stderr that tells which step it
// was, then the signal.
void failpoint(std::string_view name);
#else
constexpr void failpoint(std::string_view) {}
#endif

}  // namespace thumb
