// The blobs that events name, 72 bytes each: keys are put together again from image, variant and
// digest when they are needed. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/log_position.h"
#include "schemas/events.h"
#include "schemas/topology.h"

namespace thumb::auditor {

struct NamedBlob {
  std::array<std::uint8_t, 32> sha256{};
  std::uint64_t bytes = 0;
  LogPosition named_by;       // the first record that names it, on `topic`
  std::uint32_t image = 0;    // index for RequestBook::image()
  std::uint32_t variant = 0;  // 0: the original
  Topic topic{};
};

// For one thread.
class NamedBlobs {
 public:
  // REQUIRES: blob.sha256 has 64 hex digits, as the schema says. `variant` is empty for an
  // original. False, and the blob is left out, if its key is not the one that it must have.
  [[nodiscard]] bool add(std::uint32_t image, const ImageId& id, const std::string& variant,
                         const BlobRef& blob, Topic topic, LogPosition named_by);

  [[nodiscard]] std::string key_of(const NamedBlob& blob, const ImageId& id) const;
  // Ordered by image; each blob once.
  [[nodiscard]] std::vector<NamedBlob> distinct() const;
  [[nodiscard]] std::size_t size() const { return blobs_.size(); }

 private:
  [[nodiscard]] std::uint32_t number_of(const std::string& variant);

  std::vector<NamedBlob> blobs_;
  std::vector<std::string> variants_{""};
  std::unordered_map<std::string, std::uint32_t> numbers_{{"", 0}};
};

}  // namespace thumb::auditor
