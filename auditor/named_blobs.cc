#include "auditor/named_blobs.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "platform/text.h"
#include "schemas/blob_keys.h"

namespace thumb::auditor {
namespace {

std::string expected_key(const ImageId& id, const std::string& variant, const std::string& sha256) {
  return variant.empty() ? original_blob_key(id, sha256) : thumbnail_blob_key(id, variant, sha256);
}

auto identity(const NamedBlob& blob) {
  return std::tie(blob.image, blob.variant, blob.sha256, blob.bytes);
}

}  // namespace

bool NamedBlobs::add(std::uint32_t image, const ImageId& id, const std::string& variant,
                     const BlobRef& blob, Topic topic, LogPosition named_by) {
  const auto digest = from_hex(blob.sha256);
  if (!digest || digest->size() != 32 || blob.key != expected_key(id, variant, blob.sha256)) {
    return false;
  }
  NamedBlob named;
  std::memcpy(named.sha256.data(), digest->data(), named.sha256.size());
  named.bytes = blob.bytes;
  named.named_by = named_by;
  named.image = image;
  named.variant = number_of(variant);
  named.topic = topic;
  blobs_.push_back(named);
  return true;
}

std::uint32_t NamedBlobs::number_of(const std::string& variant) {
  const auto next = static_cast<std::uint32_t>(variants_.size());
  const auto [known, is_new] = numbers_.try_emplace(variant, next);
  if (is_new) variants_.push_back(variant);
  return known->second;
}

std::string NamedBlobs::key_of(const NamedBlob& blob, const ImageId& id) const {
  return expected_key(id, variants_[blob.variant], to_hex(std::as_bytes(std::span(blob.sha256))));
}

std::vector<NamedBlob> NamedBlobs::distinct() const {
  auto sorted = blobs_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const NamedBlob& a, const NamedBlob& b) {
    return identity(a) < identity(b);
  });
  const auto rest = std::unique(
      sorted.begin(), sorted.end(),
      [](const NamedBlob& a, const NamedBlob& b) { return identity(a) == identity(b); });
  sorted.erase(rest, sorted.end());
  return sorted;
}

}  // namespace thumb::auditor
