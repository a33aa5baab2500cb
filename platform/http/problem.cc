#include "platform/http/problem.h"

#include <nlohmann/json.hpp>

namespace thumb::http {
namespace {

// A short wait: what makes us answer 503 (a full queue, a broker restarting) passes in seconds.
constexpr const char* kRetryAfterSeconds = "2";

// RFC 9457: the title is the same for every problem of a type, so it is made from the code.
std::string title_of(const std::string& code) {
  std::string title = code;
  for (char& c : title) {
    if (c == '-') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  }
  return title;
}

}  // namespace

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return 400;
    case ErrorKind::kUnsupported:
      return 415;
    case ErrorKind::kTooLarge:
      return 413;
    case ErrorKind::kLimit:
      return 422;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kTimeout:
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      return 500;
  }
  return 500;
}

std::string problem_json(int status, const std::string& code, const std::string& message) {
  nlohmann::ordered_json document;
  document["type"] = "/problems/" + code;
  document["title"] = title_of(code);
  document["status"] = status;
  document["detail"] = message;
  document["code"] = code;
  // A message may quote what a client sent: bytes that are no UTF-8 become U+FFFD.
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Response problem(int status, const std::string& code, const std::string& message) {
  Response response;
  response.status = status;
  response.set("Content-Type", "application/problem+json").set("Cache-Control", "no-store");
  if (status == 503 || status == 429) response.set("Retry-After", kRetryAfterSeconds);
  response.body = problem_json(status, code, message);
  return response;
}

Response problem(const Error& error) {
  return problem(status_of(error.kind), error.code, error.message);
}

}  // namespace thumb::http
