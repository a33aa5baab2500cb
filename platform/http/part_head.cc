#include "platform/http/part_head.h"

#include <utility>

#include "platform/http/ascii.h"
#include "platform/http/target.h"

namespace thumb::http {
namespace {

Failure bad_part(std::string_view message) {
  return fail(ErrorKind::kInvalid, "bad-multipart", message);
}

// The quoted string at the front of `text`, unescaped; `text` moves past it. Nothing if unclosed.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) {
      value.push_back(text[++i]);
    } else if (const auto escape = text.substr(i, 3);
               escape == "%22" || iequals(escape, "%0d") || iequals(escape, "%0a")) {
      value.push_back(static_cast<char>(hex_value(escape[1]) * 16 + hex_value(escape[2])));
      i += 2;
    } else {
      value.push_back(c);
    }
  }
  return std::nullopt;
}

std::string take_plain(std::string_view& text) {
  const std::string_view value = text.substr(0, text.find(';'));
  text.remove_prefix(value.size());
  return std::string(trim_blanks(value));
}

std::string utf8_from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0U | (byte >> 6U)));
      out.push_back(static_cast<char>(0x80U | (byte & 0x3FU)));
    }
  }
  return out;
}

// RFC 8187: charset'language'percent-encoded text.
std::optional<std::string> decode_extended(std::string_view value) {
  const std::size_t first = value.find('\'');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = value.find('\'', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view charset = value.substr(0, first);
  const std::string_view text = value.substr(second + 1);
  if (iequals(charset, "utf-8")) return percent_decode(text, false);
  if (!iequals(charset, "iso-8859-1")) return std::nullopt;
  std::string latin1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      latin1.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
      return std::nullopt;
    }
    latin1.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
    i += 2;
  }
  return utf8_from_latin1(latin1);
}

Result<void> take_disposition(std::string_view value, PartHead& head) {
  const std::size_t semicolon = value.find(';');
  if (!iequals(trim_blanks(value.substr(0, semicolon)), "form-data")) {
    return bad_part("A part's Content-Disposition is not form-data.");
  }
  if (semicolon != std::string_view::npos) {
    const std::string_view parameters = value.substr(semicolon + 1);
    head.filename = parameter(parameters, "filename");
    if (const auto extended = parameter(parameters, "filename*")) {
      if (auto decoded = decode_extended(*extended)) head.filename = std::move(decoded);
    }
    if (auto name = parameter(parameters, "name")) {
      head.name = std::move(*name);
      return {};
    }
  }
  return bad_part("A part's Content-Disposition has no name.");
}

// The next field's line at the front of `fields`, folded lines joined; `fields` moves past it.
std::string take_line(std::string_view& fields) {
  std::string line;
  do {
    const std::size_t end = fields.find("\r\n");
    line.append(fields.substr(0, end));
    fields.remove_prefix(end == std::string_view::npos ? fields.size() : end + 2);
  } while (!fields.empty() && is_blank(fields.front()));
  return line;
}

}  // namespace

std::optional<std::string> parameter(std::string_view parameters, std::string_view name) {
  std::string_view rest = parameters;
  while (!rest.empty()) {
    while (!rest.empty() && (is_blank(rest.front()) || rest.front() == ';')) rest.remove_prefix(1);
    const std::size_t name_end = rest.find_first_of("=;");
    if (name_end == std::string_view::npos) return std::nullopt;
    const std::string_view found = trim_blanks(rest.substr(0, name_end));
    rest.remove_prefix(name_end);
    if (rest.front() == ';') continue;
    rest.remove_prefix(1);
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    std::optional<std::string> value =
        rest.starts_with('"') ? take_quoted(rest) : std::optional(take_plain(rest));
    if (!value) return std::nullopt;
    if (iequals(found, name)) return value;
    rest.remove_prefix(std::min(rest.size(), rest.find(';')));
  }
  return std::nullopt;
}

Result<PartHead> parse_part_head(std::string_view fields) {
  PartHead head;
  bool disposed = false;
  while (!fields.empty()) {
    const std::string line = take_line(fields);
    const std::size_t colon = line.find(':');
    const std::string_view name = std::string_view(line).substr(0, colon);
    if (colon == std::string::npos || !is_token(name)) {
      return bad_part("A part's header line is malformed.");
    }
    const std::string_view value = trim_blanks(std::string_view(line).substr(colon + 1));
    if (iequals(name, "content-disposition")) {
      if (std::exchange(disposed, true)) return bad_part("A part has two Content-Dispositions.");
      if (auto taken = take_disposition(value, head); !taken) return Failure(taken.error());
    } else if (iequals(name, "content-type")) {
      head.content_type = value;
    }
  }
  if (!disposed) return bad_part("A part has no Content-Disposition.");
  return head;
}

}  // namespace thumb::http
