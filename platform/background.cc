#include "platform/background.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace thumb {

void run_in_background() {
  struct sched_attr wish {};
  wish.size = sizeof wish;
  wish.sched_nice = 10;
  // The longest turn that Linux (from 6.12 on) gives. Whoever asks for shorter ones, and that is
  // everybody who asks for none (3 ms), takes the CPU when it wakes up, though the turn has only
  // begun (EEVDF's PREEMPT_SHORT); between two of one length the one that runs goes on, until a
  // tick finds its turn over, 4 ms later.
  wish.sched_runtime = 100'000'000;  // ns
  // 0 is this thread, not its process. It is never refused; if it were, all would be as before.
  ::syscall(SYS_sched_setattr, 0, &wish, 0);
}

}  // namespace thumb
