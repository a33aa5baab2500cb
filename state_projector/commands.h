// The operator's commands that look into the views of a folder, over ports: main only names the
// adapters. All but roll_back and discard may run beside the projector.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>

#include "state_projector/key_value_store.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_list.h"

namespace thumb {

// How to open views: as followers (as of one moment, never caught up) and as their writer.
struct ViewOpeners {
  FollowView follow;
  std::function<Result<std::unique_ptr<KeyValueStore>>(const std::filesystem::path&)> write;
};

// kNotFound/"no-view" if there is none.
[[nodiscard]] Result<std::shared_ptr<const KeyValueReader>> open_serving_view(
    const ViewFolder& folder, const ViewOpeners& openers);

// One JSON object per row, by id, invisible rows too (`"visible": false`).
[[nodiscard]] Result<void> dump(const KeyValueReader& view, std::ostream& out);
[[nodiscard]] Result<void> status(const KeyValueReader& view, bool as_json, std::ostream& out);
// The position vector and the digest of each partition, then the digest alone on the last line; or
// all of it as one JSON object.
[[nodiscard]] Result<void> digest(const KeyValueReader& view, bool as_json, std::ostream& out);
[[nodiscard]] Result<void> views(const ViewFolder& folder, const ViewOpeners& openers,
                                 bool with_digests, bool as_json, std::ostream& out);

// While no projector runs (else kConflict/"view-in-use"): serves from the previous view again; the
// projector catches it up when it starts. kConflict/"nothing-to-go-back-to" if none is kept.
[[nodiscard]] Result<void> roll_back(const ViewFolder& folder, const ViewOpeners& openers,
                                     std::ostream& out);
// The same for removing the previous view and one that was half built.
[[nodiscard]] Result<void> discard(const ViewFolder& folder);

}  // namespace thumb
