// One pass over code points each.
#include "ingest/filename.h"

#include <fmt/format.h>

#include "ingest/utf8.h"

namespace thumb::ingest {

namespace {

// C0, DEL and C1 controls; line separators; marks and overrides of text direction, with which
// "gpj.exe" can be made to look like "exe.jpg"; the byte order mark.
bool is_dropped(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

// attr-char of RFC 8187 section 3.2.1.
bool is_attr_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

std::string clean_filename(std::string_view as_sent) {
  const auto slash = as_sent.find_last_of("/\\");
  auto rest = slash == std::string_view::npos ? as_sent : as_sent.substr(slash + 1);
  std::string kept;
  while (!rest.empty()) {
    const auto c = first_code_point(rest);
    if (c.valid && !is_dropped(c.value)) {
      if (kept.size() + c.length > kMaxFilenameBytes) break;
      kept.append(rest.substr(0, c.length));
    }
    rest.remove_prefix(c.length);
  }
  if (kept == "." || kept == "..") kept.clear();
  return kept;
}

std::string download_name(std::string_view filename, std::string_view fallback,
                          std::string_view label, std::string_view extension) {
  const auto dot = filename.rfind('.');
  auto stem = dot == std::string_view::npos || dot == 0 ? filename : filename.substr(0, dot);
  if (stem.empty()) stem = fallback;
  return fmt::format("{}.{}.{}", stem, label, extension);
}

std::string inline_disposition(std::string_view filename) {
  std::string plain;
  std::string encoded;
  bool is_plain = true;
  for (auto rest = filename; !rest.empty();) {
    const auto c = first_code_point(rest);
    // '%' is decoded by some clients inside the plain form, so it counts as unsafe there.
    const bool safe = c.valid && c.value >= 0x20 && c.value < 0x7F && c.value != '"' &&
                      c.value != '\\' && c.value != '%';
    plain.push_back(safe ? rest.front() : '_');
    is_plain = is_plain && safe;
    for (const char byte : rest.substr(0, c.length)) {
      if (is_attr_char(byte)) {
        encoded.push_back(byte);
      } else {
        encoded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
      }
    }
    rest.remove_prefix(c.length);
  }
  if (is_plain) return fmt::format("inline; filename=\"{}\"", plain);
  return fmt::format("inline; filename=\"{}\"; filename*=UTF-8''{}", plain, encoded);
}

}  // namespace thumb::ingest
