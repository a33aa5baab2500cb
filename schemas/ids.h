// Identities: UUIDs with a type each, so that an image can't be mistaken for a request.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "platform/clock.h"
#include "platform/result.h"

namespace thumb {

using UuidBytes = std::array<std::uint8_t, 16>;

[[nodiscard]] std::string format_uuid(const UuidBytes& bytes);  // 36 lower-case characters
// Takes the canonical 8-4-4-4-12 form, either case; nothing else.
[[nodiscard]] Result<UuidBytes> parse_uuid(std::string_view text);

// UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 bits of `random`, so ids sort by
// time of creation. Pure: the caller brings time and randomness.
[[nodiscard]] UuidBytes make_uuid_v7(TimeMs now, const std::array<std::uint8_t, 10>& random);

template <typename Tag>
struct Id {
  UuidBytes bytes{};

  [[nodiscard]] std::string str() const { return format_uuid(bytes); }
  [[nodiscard]] static Result<Id> parse(std::string_view text) {
    return parse_uuid(text).map([](const UuidBytes& b) { return Id{b}; });
  }
  friend auto operator<=>(const Id&, const Id&) = default;
};

// Names an image for ever; the key of all its events, hence of its partition.
using ImageId = Id<struct ImageIdTag>;
// Names one request for thumbnails. The upload's request id has the bytes of the image id.
using RequestId = Id<struct RequestIdTag>;

[[nodiscard]] inline RequestId upload_request_id(const ImageId& id) { return RequestId{id.bytes}; }

}  // namespace thumb

template <typename Tag>
struct std::hash<thumb::Id<Tag>> {
  std::size_t operator()(const thumb::Id<Tag>& id) const noexcept {
    std::size_t h = 0xcbf29ce484222325U;  // FNV-1a
    for (const auto b : id.bytes) h = (h ^ b) * 0x100000001b3U;
    return h;
  }
};
