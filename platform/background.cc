#include "platform/background.h"

#include <sched.h>

namespace thumb {

void run_in_background() {
  const sched_param none{};
  // 0 is this thread, not its process. It is never refused; if it were, all would be as before.
  ::sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace thumb
