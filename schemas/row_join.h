// Rows form a join-semilattice: what is known of an image from two sets of its events, put
// together. Pure. The order, grouping and repetition of joins make no difference, to the byte.
#pragma once

#include "schemas/row.h"

namespace thumb {

// Joins `part` into `row`. REQUIRES: both are of one image.
//
//   upload, asked, completed, failed   the lowest offset wins (per request id, but for the upload)
//   started                            the earliest time wins
//   personal                           the highest offset wins, a tombstone empties the name
//   deletion                           the lowest offset wins, and all other parts are dropped
//
// Parts of events on different partitions, which a producer with a foreign partitioner can make,
// may tie on the offset: then the smaller encoded part wins, so that order still can't matter.
void join(ImageRow& row, ImageRow part);

}  // namespace thumb
