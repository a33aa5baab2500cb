// UUIDs as text and bytes, and UUIDv7.
#include "schemas/ids.h"

#include "platform/text.h"

namespace thumb {
namespace {

constexpr std::size_t kTextLength = 36;

// The two digits of each byte.
constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4U], kDigits[byte & 0xfU]};
  }
  return pairs;
}();

constexpr bool is_dash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

std::string format_uuid(const UuidBytes& bytes) {
  std::string text(kTextLength, '-');
  std::size_t at = 0;
  for (const auto byte : bytes) {
    if (is_dash(at)) ++at;
    text[at++] = kHexPairs[byte][0];
    text[at++] = kHexPairs[byte][1];
  }
  return text;
}

Result<UuidBytes> parse_uuid(std::string_view text) {
  UuidBytes bytes{};
  int wrong = text.size() == kTextLength ? 0 : -1;  // negative once something was
  for (std::size_t at = 0, number = 0; wrong >= 0 && number < bytes.size(); ++number) {
    if (is_dash(at)) wrong |= text[at++] == '-' ? 0 : -1;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    wrong |= high | low;
    bytes[number] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  if (wrong < 0) {
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
