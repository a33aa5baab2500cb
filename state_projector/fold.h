// The fold: how one event changes the row of its image. Pure.
//
// A row is a function of the *set* of its image's events: each event is a row that holds nothing
// but its own part, and folding is joining (schemas/row_join.h). So the same events in any order,
// any number of times, in any batches, give the same row and the same bytes.
#pragma once

#include "platform/clock.h"
#include "platform/log_position.h"
#include "schemas/events.h"
#include "schemas/row.h"

namespace thumb {

// Where the log holds an event (on the topic that its type belongs to), and since when.
struct RecordPlace {
  LogPosition position;
  TimeMs at;  // the record's timestamp: log time, the same in every replay
};

// The row of an image of which no event was seen: where a fold starts.
[[nodiscard]] ImageRow empty_row(const ImageId& id);

// The row of an image of which nothing but this event was seen. REQUIRES: the event stood on
// topic_of(event).
[[nodiscard]] ImageRow part_of(Event event, const RecordPlace& place);

// Joins part_of(event) into `row`. REQUIRES: row.id is the event's image.
void fold(ImageRow& row, const Event& event, const RecordPlace& place);

}  // namespace thumb
