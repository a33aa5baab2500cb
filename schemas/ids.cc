// UUIDs as text and bytes, and UUIDv7.
#include "schemas/ids.h"

#include <optional>

namespace thumb {
namespace {

constexpr std::size_t kTextLength = 36;

constexpr bool is_dash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

constexpr std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::string format_uuid(const UuidBytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kTextLength, '-');
  std::size_t at = 0;
  for (const auto byte : bytes) {
    if (is_dash(at)) ++at;
    text[at++] = kDigits[byte >> 4U];
    text[at++] = kDigits[byte & 0xfU];
  }
  return text;
}

Result<UuidBytes> parse_uuid(std::string_view text) {
  UuidBytes bytes{};
  bool valid = text.size() == kTextLength;
  std::size_t digits = 0;
  for (std::size_t at = 0; valid && at < text.size(); ++at) {
    if (is_dash(at)) {
      valid = text[at] == '-';
      continue;
    }
    const auto value = hex_value(text[at]);
    valid = value.has_value();
    auto& byte = bytes[digits++ / 2];
    byte = static_cast<std::uint8_t>((unsigned{byte} << 4U) | value.value_or(0));
  }
  if (!valid) {
    return fail(ErrorKind::kInvalid, "bad-id", "an id is a UUID of the form 8-4-4-4-12 hex digits");
  }
  return bytes;
}

UuidBytes make_uuid_v7(TimeMs now, const std::array<std::uint8_t, 10>& random) {
  const auto ms = static_cast<std::uint64_t>(to_ms(now));
  UuidBytes bytes{};
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>((ms >> (40U - 8U * i)) & 0xffU);
  }
  for (std::size_t i = 0; i < random.size(); ++i) bytes[6 + i] = random[i];
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x70U);  // version 7
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);  // RFC 9562 variant
  return bytes;
}

}  // namespace thumb
