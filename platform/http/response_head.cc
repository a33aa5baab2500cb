#include "platform/http/response_head.h"

#include <array>
#include <charconv>
#include <ctime>

#include "platform/http/ascii.h"

namespace thumb::http {
namespace {

// strftime would follow the locale; these names are fixed by the RFC.
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool is_ours(std::string_view name) {
  return iequals(name, "content-length") || iequals(name, "connection") || iequals(name, "date") ||
         iequals(name, "transfer-encoding") || iequals(name, "x-content-type-options");
}

void append_field(std::string& out, const HeaderField& field) {
  if (!is_token(field.name) || is_ours(field.name)) return;
  out.append(field.name).append(": ");
  for (const char c : field.value) out.push_back(is_control(c) && c != '\t' ? ' ' : c);
  out.append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
  }
  return "";
}

std::string allow_value(const std::vector<Method>& methods) {
  std::string value;
  for (const Method method : methods) {
    if (!value.empty()) value.append(", ");
    value.append(method_name(method));
  }
  return value;
}

std::string http_date(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 24> clock;  // "06 ... 1994 08:49:37" in pieces around the month's name
  std::string date(kDays[static_cast<std::size_t>(parts.tm_wday)]);
  std::strftime(clock.data(), clock.size(), ", %d ", &parts);
  date.append(clock.data()).append(kMonths[static_cast<std::size_t>(parts.tm_mon)]);
  std::strftime(clock.data(), clock.size(), " %Y %H:%M:%S GMT", &parts);
  return date.append(clock.data());
}

bool carries_body(int status, Method method) {
  return method != Method::kHead && status != 204 && status != 304;
}

void append_response_head(std::string& out, const Response& response, const HeadContext& context) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\nDate: ").append(context.date);
  for (out.append("\r\n"); const HeaderField& field : response.headers) append_field(out, field);
  if (response.status != 204 && response.status != 304) {
    out.append("Content-Length: ");
    append_number(out, context.body_length);
    out.append("\r\n");
  }
  if (!context.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (context.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("X-Content-Type-Options: nosniff\r\n\r\n");
}

}  // namespace thumb::http
