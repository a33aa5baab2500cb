// traceparent: "00-<32 hex trace id>-<16 hex span id>-<2 hex flags>".
#include "schemas/trace.h"

#include <algorithm>
#include <span>

#include "platform/text.h"

namespace thumb {
namespace {

constexpr std::size_t kLength = 55;

// Without a way out in the middle: every event read carries such texts, and they are hex.
bool lower_hex(std::string_view text) {
  bool right = true;
  for (const char c : text) right &= (c >= '0' && c <= '9') | (c >= 'a' && c <= 'f');
  return right;
}

bool all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

template <std::size_t N>
std::string hex(std::span<const std::uint8_t, N> bytes) {
  return to_hex(std::as_bytes(bytes));
}

}  // namespace

std::optional<std::string> valid_traceparent(std::string_view header) {
  // Later versions may append fields after another dash (W3C 3.2.4): their first part is as 00's.
  if (header.size() < kLength) return std::nullopt;
  const auto version = header.substr(0, 2);
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  const auto trace_id = header.substr(3, 32);
  const auto span_id = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  if (!lower_hex(version) || !lower_hex(trace_id) || !lower_hex(span_id) || !lower_hex(flags)) {
    return std::nullopt;
  }
  if (version == "ff" || all_zero(trace_id) || all_zero(span_id)) return std::nullopt;
  std::string valid(header.substr(0, kLength));
  valid.replace(0, 2, "00");
  return valid;
}

std::string_view trace_id_of(std::string_view traceparent) { return traceparent.substr(3, 32); }

std::string child_traceparent(std::string_view parent, const std::array<std::uint8_t, 8>& random) {
  auto span = random;
  if (std::ranges::all_of(span, [](auto b) { return b == 0; })) span[7] = 1;
  return std::string(parent.substr(0, 36)) + hex(std::span<const std::uint8_t, 8>(span)) +
         std::string(parent.substr(52));
}

std::string new_traceparent(const std::array<std::uint8_t, 24>& random) {
  auto ids = random;
  ids[15] |= 1U;  // never all zero
  ids[23] |= 1U;
  const std::span<const std::uint8_t, 24> view(ids);
  return "00-" + hex(view.first<16>()) + "-" + hex(view.last<8>()) + "-01";
}

}  // namespace thumb
