// Result<T>: how every fallible call of this project answers. Exceptions live only at the edges to
// third-party libraries, where one function per library turns them into an Error.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace thumb {

// What went wrong, in terms a caller can act on. An HTTP edge maps each kind to one status.
enum class ErrorKind {
  kInvalid,      // the input is wrong; the same input will fail again
  kUnsupported,  // well-formed, but of a kind we do not take
  kTooLarge,     // past a limit in bytes
  kLimit,        // past a limit in something else (pixels, parts, frames)
  kNotFound,
  kConflict,
  kTimeout,      // the deadline passed; the effect is unknown
  kUnavailable,  // a dependency can't be reached or is full
  kCorrupt,      // stored or received bytes break their own format
  kInternal,
};

// What repeating the call may achieve.
enum class Retry {
  kNever,    // the same call fails the same way
  kBackoff,  // may pass later; wait and repeat
  kFatal,    // this object is spent: replace it, then repeat
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  Retry retry = Retry::kNever;
  std::string code;     // stable, kebab-case, part of the public contract ("corrupt-image")
  std::string message;  // one sentence a client may read; names the field and the limit; no secrets
  std::string detail;   // for operators' logs only; never sent to a client
};

template <typename T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

// Shorthand for `return fail(ErrorKind::kInvalid, "bad-cursor", "cursor is not one of ours");`
[[nodiscard]] inline Failure fail(ErrorKind kind, std::string_view code, std::string_view message,
                                  std::string_view detail = {}, Retry retry = Retry::kNever) {
  return Failure(Error{kind, retry, std::string(code), std::string(message), std::string(detail)});
}

// A failure that a later repeat may not meet again (broker away, disk full, time-out).
[[nodiscard]] inline Failure fail_transient(ErrorKind kind, std::string_view code,
                                            std::string_view message,
                                            std::string_view detail = {}) {
  return fail(kind, code, message, detail, Retry::kBackoff);
}

}  // namespace thumb
