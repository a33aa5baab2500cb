// The change feed: what watchers of the view see, step by step, numbered. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/result.h"
#include "schemas/row.h"
#include "state_projector/view_reader.h"

namespace thumb {

// What a batch that turns `before` (empty: nothing stored) into `after` tells watchers: one step,
// to the state it ends in, if the state or the generation is another one or the image has appeared.
// The sequence number is left at 0. REQUIRES: both are of one image.
[[nodiscard]] std::optional<ViewChange> change_between(const std::optional<ImageRow>& before,
                                                       const ImageRow& after);

// The stored form; the sequence number is the key.
[[nodiscard]] std::string encode_change(const ViewChange& change);
// kCorrupt/"view-corrupt".
[[nodiscard]] Result<ViewChange> decode_change(std::uint64_t sequence, std::string_view bytes);

}  // namespace thumb
