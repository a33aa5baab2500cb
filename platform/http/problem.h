// Errors as RFC 9457 problem+json, with stable types.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "platform/http/message.h"
#include "platform/result.h"

namespace thumb::http {

// kInvalid 400, kUnsupported 415, kTooLarge 413, kLimit 422, kNotFound 404, kConflict 409,
// kTimeout and kUnavailable 503 (with Retry-After), the others 500.
[[nodiscard]] int status_of(ErrorKind kind);

// {"type": "/problems/<code>", "title", "status", "detail", "code"}; Cache-Control: no-store.
// Never carries Error::detail.
[[nodiscard]] Response problem(const Error& error);
[[nodiscard]] Response problem(int status, const std::string& code, const std::string& message);

// The JSON text of the above, for answers that list several outcomes.
[[nodiscard]] std::string problem_json(int status, const std::string& code,
                                       const std::string& message);

}  // namespace thumb::http
