// HTTP/1.x request framing without sockets: bytes in, heads and body pieces out. Built on
// Boost.Beast's incremental parser, with what it lets through refused here (RFC 9112).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "platform/http/message.h"

namespace thumb::http {

struct FramingLimits {
  std::size_t max_header_bytes =
      std::size_t{16} * 1024;  // request line and fields together: 414 or 431
  std::size_t max_target_bytes = std::size_t{8} * 1024;  // 414
  std::size_t max_fields = 100;                          // 431
  std::uint64_t max_body_bytes = 32ULL << 20U;  // 413, at the head if declared, else on the way
};

// Why a request is refused. The connection can't go on after it: where the next request would
// start is not known.
struct FramingError {
  int status = 400;
  std::string code;
  std::string message;
};

struct RequestHead {
  Request request;       // `params` and `peer` are not set here
  std::string raw_path;  // see Target
  bool http10 = false;
  bool keep_alive = false;       // what the client asked for
  bool expect_continue = false;  // the client may wait for "100 Continue" before it sends the body
};

struct FrameStep {
  enum class Kind {
    kNeedMore,  // call again once there are more bytes; those not consumed must be given again
    kHead,      // take_head() holds it
    kBody,      // `body` is a piece of the body; it lies inside `input`
    kEnd,       // the request is complete; reset() before the next one
    kError,     // error() says why; the framer is spent
  };
  Kind kind = Kind::kNeedMore;
  std::size_t consumed = 0;  // of `input`, from its front
  std::string_view body;
};

// One per connection, used for its requests one after another. Not thread-safe. Never holds more
// than the head: unconsumed input stays with the caller and is at most max_header_bytes long.
class RequestFramer {
 public:
  explicit RequestFramer(const FramingLimits& limits);
  ~RequestFramer();
  RequestFramer(const RequestFramer&) = delete;
  RequestFramer& operator=(const RequestFramer&) = delete;

  // The next event in `input`. Events of a request come in order: head, body*, end.
  [[nodiscard]] FrameStep next(std::string_view input);

  // REQUIRES: next() just gave kHead.
  [[nodiscard]] RequestHead take_head();
  // REQUIRES: next() gave kError.
  [[nodiscard]] const FramingError& error() const;
  // Of the request being framed, once its request line has been read: also when it is refused.
  [[nodiscard]] std::optional<Method> method() const;

  // Ready for the next request. REQUIRES: next() gave kEnd.
  void reset();

 private:
  struct State;
  const FramingLimits limits_;
  std::unique_ptr<State> state_;
};

}  // namespace thumb::http
