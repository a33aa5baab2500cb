// Names of blobs. All blobs of an image stand below one prefix, so a deletion is one removal; each
// key ends in its content's SHA-256, so a key is only ever written with the same bytes.
#pragma once

#include <string>

#include "schemas/ids.h"

namespace thumb {

[[nodiscard]] std::string image_blob_prefix(const ImageId& id);  // "images/<id>"
// "images/<id>/original-<sha256>"
[[nodiscard]] std::string original_blob_key(const ImageId& id, const std::string& sha256_hex);
// "images/<id>/thumbnail-<variant>-<sha256>"
[[nodiscard]] std::string thumbnail_blob_key(const ImageId& id, const std::string& variant,
                                             const std::string& sha256_hex);

}  // namespace thumb
