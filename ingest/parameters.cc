// Straight checks; limits are named in the messages.
#include "ingest/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/http/ascii.h"
#include "platform/text.h"

namespace thumb::ingest {

namespace {

constexpr std::size_t kMaxPositions = 100;
constexpr std::size_t kMaxLimit = 100;
constexpr std::size_t kMaxCursorBytes = 512;

// A name from outside, fit to be shown in a message.
std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 40)) text.push_back(c > 0x20 && c < 0x7F ? c : '?');
  return text;
}

Failure bad(std::string_view code, std::string_view message) {
  return fail(ErrorKind::kInvalid, code, message);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<void> check_parameters(const http::Request& request,
                              std::initializer_list<std::string_view> known) {
  for (auto it = request.query.begin(); it != request.query.end(); ++it) {
    const auto& name = it->first;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return bad("unknown-parameter",
                 fmt::format("The query parameter '{}' is not known here.", shown(name)));
    }
    if (std::any_of(request.query.begin(), it, [&](const auto& p) { return p.first == name; })) {
      return bad("repeated-parameter",
                 fmt::format("The query parameter '{}' is given more than once.", shown(name)));
    }
  }
  return {};
}

Result<ImageQuery> parse_image_query(const http::Request& request,
                                     std::initializer_list<std::string_view> known) {
  if (auto ok = check_parameters(request, known); !ok) return Failure(ok.error());
  const auto param = request.params.find("id");
  auto id = ImageId::parse(param == request.params.end() ? std::string_view{} : param->second);
  if (!id) {
    return bad("bad-id", "The image id is not a UUID (8-4-4-4-12 hexadecimal digits).");
  }
  auto positions = parse_min_positions(request);
  if (!positions) return Failure(positions.error());
  return ImageQuery{*id, std::move(*positions)};
}

Result<std::optional<TimeMs>> parse_at(const http::Request& request) {
  const auto value = request.query_value("at");
  if (!value) return std::nullopt;
  std::string text(*value);
  // The + of a zone offset ("+02:00"), written as it is, arrives as a space.
  constexpr std::size_t kZoneBytes = 6;
  if (text.size() > kZoneBytes && text[text.size() - kZoneBytes] == ' ') {
    text[text.size() - kZoneBytes] = '+';
  }
  const auto at = parse_rfc3339(text);
  if (at) return *at;
  return bad("bad-at", "at is not a time as RFC 3339 has it, such as 2026-01-31T08:15:30Z.");
}

Result<std::vector<LogPosition>> parse_min_positions(const http::Request& request) {
  std::vector<LogPosition> positions;
  // The field may come in several lines, which are one list (RFC 9110, 5.3).
  for (const auto& field : request.headers) {
    if (!http::iequals(field.name, "Min-Position")) continue;
    std::string_view rest = field.value;
    for (bool more = !rest.empty(); more;) {
      const auto comma = rest.find(',');
      const auto position = parse_log_position(trim(rest.substr(0, comma)));
      if (!position || positions.size() == kMaxPositions) {
        return bad("bad-min-position",
                   fmt::format("Min-Position is not a list of at most {} entries partition:offset.",
                               kMaxPositions));
      }
      positions.push_back(*position);
      more = comma != std::string_view::npos;
      if (more) rest.remove_prefix(comma + 1);
    }
  }
  return positions;
}

Result<ListQuery> parse_list_query(const http::Request& request) {
  if (auto ok = check_parameters(request, {"state", "limit", "cursor"}); !ok) {
    return Failure(ok.error());
  }
  ListQuery query;
  if (const auto state = request.query_value("state")) {
    query.state = parse_image_state(*state);
    if (!query.state) {
      return bad("bad-state",
                 "state is none of accepted, processing, completed, failed and deleted.");
    }
  }
  if (const auto limit = request.query_value("limit")) {
    const auto number = parse_u64(*limit);
    if (!number || *number < 1 || *number > kMaxLimit) {
      return bad("bad-limit", fmt::format("limit is not a number from 1 to {}.", kMaxLimit));
    }
    query.limit = *number;
  }
  if (const auto cursor = request.query_value("cursor")) {
    if (cursor->size() > kMaxCursorBytes) {
      return bad("bad-cursor", "cursor is not one that this list gave out.");
    }
    query.cursor = std::string(*cursor);
  }
  return query;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace thumb::ingest
