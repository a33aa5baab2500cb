// Order of evaluation as in RFC 9110 section 13.2.2: If-Match, If-None-Match, then Range.
#include "ingest/conditional.h"

#include <fmt/format.h>

#include <limits>

#include "platform/text.h"

namespace thumb::ingest {

namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

enum class Compare { kStrong, kWeak };

// Whether a list of entity tags names `etag`. A tag may hold commas, so the quotes rule. What is
// not a list ends the search: it then names nothing.
bool names(std::string_view list, std::string_view etag, Compare compare) {
  list = trim(list);
  if (list == "*") return true;
  while (!list.empty()) {
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    const auto close = list.find('"', 1);
    if (close == std::string_view::npos) return false;
    if (list.substr(0, close + 1) == etag && (!weak || compare == Compare::kWeak)) return true;
    list = trim(list.substr(close + 1));
    if (!list.empty() && !list.starts_with(',')) return false;
    list = trim(list.substr(list.empty() ? 0 : 1));
  }
  return false;
}

// A run of digits; what is past 64 bits is as good as the largest number.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return parse_u64(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

constexpr std::string_view kUnit = "bytes=";

bool is_bytes_unit(std::string_view range) {
  if (range.size() < kUnit.size()) return false;
  for (std::size_t i = 0; i < kUnit.size(); ++i) {
    const char c = range[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != kUnit[i]) return false;
  }
  return true;
}

DeliveryPlan part(std::uint64_t first, std::uint64_t end) {
  return {Delivery::kPart, {.offset = first, .length = end - first}};
}

// Nothing if the header is to be ignored.
std::optional<DeliveryPlan> plan_range(std::string_view range, std::uint64_t size) {
  if (!is_bytes_unit(range)) return std::nullopt;
  const auto spec = trim(range.substr(kUnit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_position(spec.substr(0, dash));
  const auto last = parse_position(spec.substr(dash + 1));
  if (dash == 0) {  // "-500": the last 500
    if (!last) return std::nullopt;
    if (*last == 0 || size == 0) return DeliveryPlan{Delivery::kUnsatisfiable, {}};
    return part(size - std::min(*last, size), size);
  }
  const bool open_ended = dash + 1 == spec.size();
  if (!first || (!last && !open_ended) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return DeliveryPlan{Delivery::kUnsatisfiable, {}};
  return part(*first, last && *last < size ? *last + 1 : size);
}

}  // namespace

DeliveryPlan plan_delivery(const Preconditions& request, std::string_view etag,
                           std::uint64_t size_bytes) {
  if (request.if_match && !names(*request.if_match, etag, Compare::kStrong)) {
    return {Delivery::kPreconditionFailed, {}};
  }
  if (request.if_none_match && names(*request.if_none_match, etag, Compare::kWeak)) {
    return {Delivery::kNotModified, {}};
  }
  const bool same = !request.if_range || trim(*request.if_range) == etag;
  if (request.range && same) {
    if (const auto plan = plan_range(*request.range, size_bytes)) return *plan;
  }
  return {Delivery::kWhole, {.offset = 0, .length = size_bytes}};
}

std::string strong_etag(std::string_view sha256_hex) { return fmt::format("\"{}\"", sha256_hex); }

std::string content_range(const ByteRange& range, std::uint64_t size_bytes) {
  return fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size_bytes);
}

std::string repr_digest(std::string_view sha256_hex) {
  const auto raw = from_hex(sha256_hex);
  if (!raw || raw->size() != 32) return {};
  return fmt::format("sha-256=:{}:", to_base64(as_bytes(*raw)));
}

}  // namespace thumb::ingest
