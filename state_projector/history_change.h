// What a batch changes in the stored history of one image. Pure but for reading the store.
//
// History is a set of records, like the row a function of the image's events: a deletion leaves
// none, and the tombstone of personal fields leaves none of those before it.
#pragma once

#include <span>
#include <vector>

#include "schemas/history.h"
#include "state_projector/key_value_store.h"

namespace thumb {

// Whether the record from which no more than `part` is known is a tombstone of personal fields.
[[nodiscard]] bool erases_personal(Topic topic, const ImageRow& part);

// Whether a record of this topic and offset stays in the history of an image that is not deleted
// and whose newest tombstone of personal fields has the offset `erased_below`.
[[nodiscard]] bool stays_in_history(Topic topic, std::int64_t offset, std::int64_t erased_below);

// Appends what adds `entries` to the history of `after`, the row as the batch leaves it;
// `deleted_before` says that it was deleted already. Errors: those of the store.
[[nodiscard]] Result<void> append_history_change(const KeyValueReader& view, const ImageRow& after,
                                                 bool deleted_before,
                                                 std::span<const HistoryEntry* const> entries,
                                                 std::vector<KeyChange>& changes);

}  // namespace thumb
