// A worker gives up its rights, before it sees any image: no files, no network, no new programs, no
// memory beyond its limit.
#pragma once

#include <cstdint>

namespace thumb {

// What holds a worker in. As bits of one number, since a worker reports it to the processor.
enum ConfinedBy : std::uint32_t {
  kByNoNewPrivileges = 1U << 0U,
  kByResourceLimits = 1U << 1U,
  kByLandlock = 1U << 2U,  // the kernel's second word on files; many containers lack it
  kBySeccomp = 1U << 3U,
};

struct ConfineLimits {
  std::uint64_t data_bytes = 0;  // RLIMIT_DATA, of all that the process holds: heap, private maps
};

// Bytes that count against RLIMIT_DATA in this process now (a sanitizer's shadow is terabytes).
[[nodiscard]] std::uint64_t data_bytes_now();

// Confines this process for good and says what took effect. What the machine or container does not
// permit is left out: the rest holds all the same. REQUIRES: one thread; no descriptor is needed
// any more but those that are open.
[[nodiscard]] std::uint32_t confine(const ConfineLimits& limits);

}  // namespace thumb
