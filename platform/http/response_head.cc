#include "platform/http/response_head.h"

#include <algorithm>
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

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

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
  const auto* found = std::ranges::find(kReasons, status, &Reason::status);
  return found == std::end(kReasons) ? "Unknown" : found->phrase;
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
  if (context.streamed) {
    if (!context.http10) out.append("Transfer-Encoding: chunked\r\n");
  } else if (response.status != 204 && response.status != 304) {
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
