// The layout of blob names, in one place.
#include "schemas/blob_keys.h"

namespace thumb {

std::string image_blob_prefix(const ImageId& id) {
  std::string prefix;
  prefix.reserve(64);  // what callers append seldom outgrows it
  return prefix.append("images/").append(id.str());
}

std::string original_blob_key(const ImageId& id, const std::string& sha256_hex) {
  return image_blob_prefix(id) + "/original-" + sha256_hex;
}

std::string thumbnail_blob_key(const ImageId& id, const std::string& variant,
                               const std::string& sha256_hex) {
  return image_blob_prefix(id) + "/thumbnail-" + variant + "-" + sha256_hex;
}

}  // namespace thumb
