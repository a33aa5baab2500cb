#include "platform/background.h"

#include <sys/resource.h>
#include <unistd.h>

namespace thumb {

void run_in_background() {
  constexpr int kNice = 10;
  // Linux keeps the value for each thread. It is never refused; if it were, all would be as before.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace thumb
