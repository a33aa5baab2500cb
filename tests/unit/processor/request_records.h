// Records of image-requests as they are read from the log, for the tests of this folder.
#pragma once

#include <string>

#include "schemas/codec.h"
#include "tests/support/event_samples.h"

namespace thumb::testing {

inline const TopicNames kNames{"t."};
inline const std::string kInput = "t.image-requests";
inline const TimeMs kNoon = time_from_ms(1'769'860'800'000);

inline OutRecord out_record(const Event& event) {
  return encode(event, {kNoon, "/test", std::nullopt}, kNames);
}

inline InRecord in_record(const Event& event, LogPosition position, TimeMs timestamp = kNoon) {
  const OutRecord out = out_record(event);
  return {kInput, position, timestamp, out.key, out.value, out.headers};
}

inline OutRecord poison() { return {kInput, "some key", "not an event", {{"origin", "test"}}, {}}; }

inline InRecord poison_at(LogPosition position) {
  return {kInput, position, kNoon, "some key", "not an event", {{"origin", "test"}}};
}

// What a header says; empty if it is not there.
inline std::string header_of(const std::vector<Header>& headers, std::string_view name) {
  for (const auto& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

}  // namespace thumb::testing
