// Work that nobody waits for, beside work that somebody does, on one machine.
#pragma once

namespace thumb {

// From now on the calling thread, and each thread that it starts, is given a CPU when no other
// thread of the machine wants it (SCHED_IDLE), and next to nothing of a busy one; its disk accesses
// come last too where the disk's scheduler tells them apart. There is no way back without
// privileges. Whoever holds a lock that others need should not hold it for long.
void run_in_background();

}  // namespace thumb
