// One HTTP request to a service of ours, for command lines that ask a running process.
#pragma once

#include <chrono>
#include <string>

#include "platform/result.h"

namespace thumb {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Blocks until the whole answer is there. `method` is "GET", "POST", ...; the body is empty.
// Follows no redirects, uses no proxy. Errors: kUnavailable/"not-reached" (back off),
// kTimeout/"no-answer" (the effect is unknown), kTooLarge past 16 MB. Thread-safe.
[[nodiscard]] Result<HttpAnswer> http_request(const std::string& method, const std::string& url,
                                              std::chrono::milliseconds timeout);

}  // namespace thumb
