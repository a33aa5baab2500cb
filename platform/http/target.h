// A request's target, taken apart and percent-decoded exactly once (RFC 9112 section 3.2, RFC
// 3986). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/result.h"

namespace thumb::http {

struct Target {
  // As sent, still percent-encoded: routes are matched on it, so that "%2F" never parts a segment.
  // "*" is the server as a whole (OPTIONS only).
  std::string raw_path;
  std::string path;                                        // decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded ('+' is a space), in order
};

// "%41" -> "A". Nothing for a malformed escape, NUL, or what isn't UTF-8 afterwards.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Takes origin-form ("/a?b=c"), absolute-form ("http://host/a") and "*".
// kInvalid/"bad-target" for all else: raw non-ASCII bytes, fragments, bad escapes, NUL, not UTF-8.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

}  // namespace thumb::http
