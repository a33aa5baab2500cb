#include "platform/http/target.h"

#include <algorithm>

#include "platform/http/ascii.h"
#include "platform/text.h"

namespace thumb::http {
namespace {

Failure bad_target(std::string_view message) {
  return fail(ErrorKind::kInvalid, "bad-target", message);
}

// RFC 9112, 3.2.2: a server takes the absolute form too; the authority says nothing new to us,
// since the Host field must be there all the same.
std::string_view strip_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !iequals(target.substr(0, scheme.size()), scheme)) {
      continue;
    }
    target.remove_prefix(scheme.size());
    const std::size_t end = target.find_first_of("/?");
    return target.substr(std::min(end, target.size()));
  }
  return target;
}

Result<void> parse_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    if (field.empty()) continue;
    const std::size_t equals = field.find('=');
    auto name = percent_decode(field.substr(0, equals), true);
    auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1), true);
    if (!name || !value) return bad_target("The query holds a bad escape, NUL or no UTF-8.");
    target.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  bool plain_ascii = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    plain_ascii = plain_ascii && static_cast<unsigned char>(c) < 0x80;
    decoded.push_back(c);
  }
  if (!plain_ascii && !is_utf8(decoded)) return std::nullopt;
  return decoded;
}

Result<Target> parse_target(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80 || is_control(c) || c == ' ' || c == '#') {
      return bad_target("The request target holds a character that must be percent-encoded.");
    }
  }
  Target target;
  if (text == "*") {
    target.raw_path = target.path = "*";
    return target;
  }
  const std::string_view origin = strip_authority(text);
  const bool absolute = origin.size() != text.size();
  text = origin;
  const std::size_t question = text.find('?');
  const std::string_view path = text.substr(0, question);
  target.raw_path = absolute && path.empty() ? "/" : std::string(path);
  if (!target.raw_path.starts_with('/'))
    return bad_target("The request target must start with '/'.");
  auto decoded = percent_decode(target.raw_path, false);
  if (!decoded) return bad_target("The path holds a bad escape, NUL or no UTF-8.");
  target.path = std::move(*decoded);
  if (question != std::string_view::npos) {
    if (auto parsed = parse_query(text.substr(question + 1), target); !parsed) {
      return Failure(parsed.error());
    }
  }
  return target;
}

}  // namespace thumb::http
