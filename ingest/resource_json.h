// The image resource of the HTTP interface, from a row of the view. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "schemas/row.h"

namespace thumb::ingest {

[[nodiscard]] std::string image_path(const ImageId& id);  // "/v1/images/<id>"

// {id, filename, content_type, bytes, sha256, state, generation, size: {original, thumbnail},
// variants, error?, created_at, updated_at, position, links}; of a deleted image what
// deleted_json() gives. `position` names the image's newest request in the log: "partition:offset".
// REQUIRES: row.visible(); `partition` is the image's. Appending puts a comma where JsonWriter
// would.
void append_resource(std::string& out, const ImageRow& row, std::int32_t partition);
[[nodiscard]] std::string resource_json(const ImageRow& row, std::int32_t partition);

// {id, state: "deleted", deleted_at, by}: all that is left. REQUIRES: row.deleted.
[[nodiscard]] std::string deleted_json(const ImageRow& row);

}  // namespace thumb::ingest
