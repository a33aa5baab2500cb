// Status line and fields of an answer, as bytes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/http/message.h"

namespace thumb::http {

// "Not Found"; "Unknown" for a status without a registered phrase.
[[nodiscard]] std::string_view reason_phrase(int status);

[[nodiscard]] std::string_view method_name(Method method);

// "GET, HEAD, OPTIONS", for Allow.
[[nodiscard]] std::string allow_value(const std::vector<Method>& methods);

// IMF-fixdate of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(std::int64_t unix_seconds);

// 204, 304 and answers to HEAD have no body whatever the handler gave.
[[nodiscard]] bool carries_body(int status, Method method);

struct HeadContext {
  std::uint64_t body_length = 0;  // of the whole body, also where it is not sent (HEAD)
  bool streamed = false;          // of no known length: chunked, or until the connection closes
  bool keep_alive = true;
  bool http10 = false;
  std::string_view date = {};
};

// Appends the head, up to and with its empty line. Adds Date, Content-Length (or
// Transfer-Encoding), Connection and nosniff; those given by the handler are left out, as are
// fields whose name is no token. Control characters in a value become spaces: no value can end the
// head.
void append_response_head(std::string& out, const Response& response, const HeadContext& context);

}  // namespace thumb::http
