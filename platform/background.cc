#include "platform/background.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace thumb {

void run_in_background() {
  struct sched_attr wish {};
  wish.size = sizeof wish;
  wish.sched_nice = 10;
  // Linux from 6.12 on gives turns of this length; at its own, of 3 ms, whoever wakes up waits for
  // the end of one (EEVDF, run to parity).
  wish.sched_runtime = 100'000;  // ns
  // 0 is this thread, not its process. It is never refused; if it were, all would be as before.
  ::syscall(SYS_sched_setattr, 0, &wish, 0);
}

}  // namespace thumb
