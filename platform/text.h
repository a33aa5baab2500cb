// Small pure helpers over text that more than one layer needs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/bytes.h"

namespace thumb {

// The whole text as a base-10 number, or nothing (no sign, no spaces, no overflow).
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_i64(std::string_view text);

// By character. Beside the function and not in it, where each call would make the table anew.
inline constexpr auto kHexDigitValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 16; ++i) {
    values[static_cast<unsigned char>("0123456789abcdef"[i])] = static_cast<std::int8_t>(i);
    values[static_cast<unsigned char>("0123456789ABCDEF"[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

// What a hex digit of either case is worth; -1 if it is none.
[[nodiscard]] constexpr int hex_digit(char c) {
  return kHexDigitValues[static_cast<unsigned char>(c)];
}

[[nodiscard]] std::string to_hex(ByteView bytes);                         // lower case
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);  // raw bytes

[[nodiscard]] std::string to_base64(ByteView bytes);  // RFC 4648 section 4, padded

// At most the first `max_bytes` bytes, cut between characters; bytes that are no UTF-8 become '?'.
[[nodiscard]] std::string utf8_excerpt(std::string_view text, std::size_t max_bytes);

// True if the text is well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace thumb
