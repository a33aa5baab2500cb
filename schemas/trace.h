// W3C Trace Context (traceparent), version 00: carried from the HTTP request to the last event.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace thumb {

// The header as it came, if valid: lower-case hex, non-zero ids, version not ff (W3C, section 3.2).
[[nodiscard]] std::optional<std::string> valid_traceparent(std::string_view header);

// The 32 hex digits of the trace id of a valid traceparent.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

// The same trace, one hop on: a new span id (8 bytes of `random`).
[[nodiscard]] std::string child_traceparent(std::string_view parent,
                                            const std::array<std::uint8_t, 8>& random);

// A new trace, sampled.
[[nodiscard]] std::string new_traceparent(const std::array<std::uint8_t, 24>& random);

}  // namespace thumb
