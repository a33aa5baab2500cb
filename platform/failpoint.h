// Named steps at which a test has the process end as `kill -9` ends it, to see what a crash at just
// this step leaves behind. Compiled in by the CMake option THUMB_FAILPOINTS alone (presets asan and
// tsan); in other builds nothing is left of them.
//
//   THUMB_FAILPOINT=<name>[:<n>]   at the n-th passage of that step, counted over all threads; 1
//
// For tests, not a setting: a name that no step bears does nothing.
#pragma once

#include <string_view>

namespace thumb {

#ifdef THUMB_FAILPOINTS
// Thread-safe. Does not return if the environment names this passage: SIGKILL, after one line on
// stderr that tells which step it was.
void failpoint(std::string_view name);
#else
constexpr void failpoint(std::string_view) {}
#endif

}  // namespace thumb
