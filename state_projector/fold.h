// The fold: how one event changes the row of its image. Pure.
//
// A row is a function of the *set* of its image's events, so this is a join: folding the same
// events in any order, any number of times, in any batches, gives the same row and the same bytes.
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

// Joins `event` into `row`. REQUIRES: row.id is the event's image; the event stood on
// topic_of(event).
//
//   upload, asked, completed, failed   the lowest offset wins (per request id, but for the upload)
//   started                            the earliest time wins
//   personal                           the highest offset wins, a tombstone empties the name
//   deletion                           the lowest offset wins, and all other parts are dropped
//
// Records of one image on different partitions, which a producer with a foreign partitioner can
// make, may tie on the offset: then the smaller encoded part wins, so that order still can't
// matter.
void fold(ImageRow& row, const Event& event, const RecordPlace& place);

}  // namespace thumb
