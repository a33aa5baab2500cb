// Conditional and range requests (RFC 9110 sections 13 and 14) for bytes that never change under
// their strong entity tag. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/bytes.h"

namespace thumb::ingest {

// The request's headers, as they came. `range` and `if_range` count on GET only: leave them out of
// a HEAD.
struct Preconditions {
  std::optional<std::string_view> if_match;
  std::optional<std::string_view> if_none_match;
  std::optional<std::string_view> range;
  std::optional<std::string_view> if_range;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class Delivery {
  kWhole,               // 200
  kPart,                // 206
  kNotModified,         // 304
  kPreconditionFailed,  // 412
  kUnsatisfiable,       // 416
};

struct DeliveryPlan {
  Delivery delivery = Delivery::kWhole;
  ByteRange range;  // what to send for kWhole and kPart
  friend bool operator==(const DeliveryPlan&, const DeliveryPlan&) = default;
};

// `etag` with its quotes. A malformed Range, another unit and several ranges give the whole, as
// section 14.2 allows; a date in If-Range never matches, since no Last-Modified is sent.
[[nodiscard]] DeliveryPlan plan_delivery(const Preconditions& request, std::string_view etag,
                                         std::uint64_t size_bytes);

[[nodiscard]] std::string strong_etag(std::string_view sha256_hex);  // "\"<hex>\""
// "bytes 0-99/1234"; REQUIRES: range.length > 0.
[[nodiscard]] std::string content_range(const ByteRange& range, std::uint64_t size_bytes);
// A Repr-Digest value (RFC 9530): "sha-256=:<base64>:"; empty if the hex is not one of SHA-256.
[[nodiscard]] std::string repr_digest(std::string_view sha256_hex);

}  // namespace thumb::ingest
