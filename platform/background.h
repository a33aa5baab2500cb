// Work that nobody waits for, beside work that somebody does, on one machine.
#pragma once

namespace thumb {

// From now on the calling thread, and each thread that it starts, steps back before all others of
// the machine: where they want every CPU, it gets about a tenth of one (nice 10), and whoever wakes
// up gets its CPU at once. Not less than that: a build that a new version needs must come to its
// end on a busy machine too, and a lock that it holds must come free. There is no way back without
// privileges.
void run_in_background();

}  // namespace thumb
