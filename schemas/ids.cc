// UUIDs as text and bytes, and UUIDv7.
#include "schemas/ids.h"

#include "platform/text.h"

namespace thumb {

std::string format_uuid(const UuidBytes& bytes) {
  const auto hex = to_hex(std::as_bytes(std::span(bytes)));
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += hex[i];
  }
  return text;
}

Result<UuidBytes> parse_uuid(std::string_view text) {
  std::string hex;
  bool shaped = text.size() == 36;
  for (std::size_t i = 0; shaped && i < text.size(); ++i) {
    const bool dash_here = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash_here) {
      shaped = text[i] == '-';
    } else {
      hex += text[i];
    }
  }
  const auto raw = shaped ? from_hex(hex) : std::nullopt;
  if (!raw) {
    return fail(ErrorKind::kInvalid, "bad-id", "an id is a UUID of the form 8-4-4-4-12 hex digits");
  }
  UuidBytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>((*raw)[i]);
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
