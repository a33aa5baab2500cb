// What listeners read: changes of the view as Server-Sent Events. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/result.h"
#include "schemas/row.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

// A place in a view's change feed: behind the change of that number. Places of different views have
// nothing to do with each other.
struct FeedPlace {
  std::string view_id;
  std::uint64_t sequence = 0;
  friend bool operator==(const FeedPlace&, const FeedPlace&) = default;
};

// An event's id: "<view id>-<sequence>".
[[nodiscard]] std::string event_id(const FeedPlace& place);
// kInvalid/"bad-last-event-id".
[[nodiscard]] Result<FeedPlace> parse_event_id(std::string_view text);

// One event; `data` is one line.
void append_event(std::string& out, std::string_view event, const FeedPlace& place,
                  std::string_view data);

// A client's next Last-Event-ID, without an event.
void append_place(std::string& out, const FeedPlace& place);

// `event: image`, with {id, state, generation, at, links: {self}}. The sequence is the place's.
void append_change(std::string& out, const std::string& view_id, const ViewChange& change);

// The step that a row stands at, with no number. REQUIRES: row.visible().
[[nodiscard]] ViewChange standing_of(const ImageRow& row);

// The state of everything, as a listener that has to begin anew needs it: {view_id, images: counts
// by state, position, links}. `position` is a list as Min-Position takes it.
[[nodiscard]] std::string overview_json(const ViewStats& stats);

}  // namespace thumb::ingest
