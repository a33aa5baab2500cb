// The operator's side of a running projector's admin port.
#pragma once

#include <chrono>
#include <functional>
#include <ostream>
#include <stop_token>
#include <string>

#include "platform/http_fetcher.h"
#include "platform/result.h"

namespace thumb {

// How to ask the projector: method and path; gives the body of a 2xx. Errors are the projector's
// own (code and message of its problem+json), and kUnavailable/"not-reached".
using AskProjector =
    std::function<Result<std::string>(FetchMethod method, const std::string& path)>;

// Asks over HTTP on loopback. REQUIRES: port > 0.
[[nodiscard]] AskProjector ask_over_http(std::int64_t admin_port,
                                         std::chrono::milliseconds timeout);

struct WatchOptions {
  std::chrono::milliseconds interval{500};
  bool by_partition = false;  // a line per partition that lacks something, too
};

// Asks for a build by its task ("rebuild", "restore" or "rollback"), and shows the progress of the
// one that this begins, or that is under way with the same task, until its view serves: a line at
// each look. A stop ends the watching alone, not the build: kUnavailable/"stopped".
// kInternal/"build-failed" with the projector's reason; kConflict/"build-in-progress" for another
// task.
[[nodiscard]] Result<void> ask_for_build(const AskProjector& ask, const std::string& task,
                                         const WatchOptions& options, const std::stop_token& stop,
                                         std::ostream& out);

}  // namespace thumb
