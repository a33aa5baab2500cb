// The data of each event as JSON text, both ways; schemas/<event name>.schema.json describe it.
// Internal to the codec. Pure.
#pragma once

#include <string>
#include <string_view>

#include "platform/result.h"
#include "schemas/events.h"

namespace thumb {

// REQUIRES: the event has a value (ImagePrivateErased is a tombstone and has none).
[[nodiscard]] std::string event_to_json(const Event& event);

// `name` is the event's name ("image-uploaded"). Errors: kCorrupt/"unknown-event-type",
// kCorrupt/"invalid-event" naming the first offending field. Unknown fields are ignored.
[[nodiscard]] Result<Event> event_from_json(std::string_view name, std::string_view json);

// The same without its quick way (schemas/plain_json.h), which must make no difference: for tests.
[[nodiscard]] Result<Event> event_from_any_json(std::string_view name, std::string_view json);

}  // namespace thumb
