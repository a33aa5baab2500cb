// Numbers, hex and UTF-8, all total over any input.
#include "platform/text.h"

#include <algorithm>
#include <charconv>

namespace thumb {
namespace {

template <typename Int>
std::optional<Int> parse_whole(std::string_view text) {
  Int value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Length of the sequence that `lead` begins; 0 if it can't begin one (Unicode table 3-7).
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// The second byte has a narrower range after some leads: no overlong forms, no surrogates.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  if (lead == 0xE0) return second >= 0xA0 && second <= 0xBF;
  if (lead == 0xED) return second >= 0x80 && second <= 0x9F;
  if (lead == 0xF0) return second >= 0x90 && second <= 0xBF;
  if (lead == 0xF4) return second >= 0x80 && second <= 0x8F;
  return second >= 0x80 && second <= 0xBF;
}

// Bytes of the character that the text begins with; 0 if it begins with none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const auto length = sequence_length(lead);
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    const auto next = static_cast<unsigned char>(text[k]);
    if (k == 1 ? !second_byte_fits(lead, next) : (next & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

}  // namespace

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<std::int64_t> parse_i64(std::string_view text) {
  return parse_whole<std::int64_t>(text);
}

std::string to_hex(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(bytes.size() * 2, '\0');
  auto out = hex.begin();
  for (const auto b : bytes) {
    *out++ = kDigits[std::to_integer<unsigned>(b) >> 4U];
    *out++ = kDigits[std::to_integer<unsigned>(b) & 15U];
  }
  return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes(hex.size() / 2, '\0');
  int wrong = 0;  // negative once a digit was
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    wrong |= high | low;
    bytes[i] = static_cast<char>(high * 16 + low);
  }
  if (wrong < 0) return std::nullopt;
  return bytes;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = character_length(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string utf8_excerpt(std::string_view text, std::size_t max_bytes) {
  std::string excerpt;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = character_length(text.substr(i));
    const auto shown = length == 0 ? std::string_view("?") : text.substr(i, length);
    if (excerpt.size() + shown.size() > max_bytes) break;
    excerpt += shown;
    i += std::max<std::size_t>(length, 1);
  }
  return excerpt;
}

std::string to_base64(ByteView bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const auto byte = i + j < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0U;
      group = group << 8U | byte;
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[group >> (18U - 6U * j) & 63U];
    }
  }
  return out;
}

}  // namespace thumb
