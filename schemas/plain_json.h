// The quick way to read an event's JSON, for texts that leave nothing to argue about. Internal to
// the codec. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "schemas/events.h"

namespace thumb {

// What event_from_json() reads from the same text, or nothing: then that one has to look, which
// also knows what to say of it. So this refuses more than it must (any escape, any field that is
// wanted and there twice), and what it takes is valid JSON as a whole, also in the fields that
// nobody reads.
[[nodiscard]] std::optional<Event> event_from_plain_json(std::string_view name,
                                                         std::string_view json);

}  // namespace thumb
