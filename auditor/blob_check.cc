#include "auditor/blob_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "platform/digest.h"
#include "platform/on_threads.h"

namespace thumb::auditor {
namespace {

constexpr std::size_t kChunkBytes = 64UL * 1024;

// None if the blob is what it was named as; else what is wrong with it.
Result<std::optional<std::string>> compare(const BlobReader& reader, const NamedBlob& blob,
                                           BlobMode mode, BlobCounts& counts) {
  if (reader.size_bytes() != blob.bytes) {
    return fmt::format("has {} bytes, not {}", reader.size_bytes(), blob.bytes);
  }
  if (mode != BlobMode::kDigest) return std::nullopt;
  std::array<std::byte, kChunkBytes> chunk{};
  Sha256 digest;
  for (std::uint64_t offset = 0;;) {
    const auto got = reader.read_at(offset, chunk);
    if (!got) return Failure(got.error());
    if (*got == 0) break;
    digest.update(std::span(chunk).first(*got));
    offset += *got;
    counts.bytes_read += *got;
  }
  const auto found = digest.finish();
  const auto named = std::as_bytes(std::span(blob.sha256));
  if (std::ranges::equal(found, named)) return std::nullopt;
  return std::string("has another SHA-256 than its name says");
}

// One blob after the other, into one report.
class Check {
 public:
  Check(BlobStore& store, BlobMode mode, const NamedBlobs& blobs, const RequestBook& requests,
        TimeMs deletions_until)
      : store_(store),
        mode_(mode),
        blobs_(blobs),
        requests_(requests),
        deletions_until_(deletions_until) {}

  Result<void> look_at(const NamedBlob& blob) {
    const ImageEntry& image = requests_.image(blob.image);
    const std::string key = blobs_.key_of(blob, image.id);
    const auto reader = store_.open(key);
    const bool absent = !reader && reader.error().kind == ErrorKind::kNotFound;
    if (!reader && !absent) return Failure(reader.error());
    ++report_.counts.checked;
    if (image.deleted()) {
      if (!absent) left_over(blob, image, key);
      return {};
    }
    if (absent) {
      add(Kind::kBlobMissing, blob, image, key + " is not there");
      return {};
    }
    const auto wrong = compare(**reader, blob, mode_, report_.counts);
    if (!wrong) return Failure(wrong.error());
    if (*wrong) add(Kind::kBlobDiffers, blob, image, key + " " + **wrong);
    return {};
  }

  BlobReport take() { return std::move(report_); }

 private:
  void left_over(const NamedBlob& blob, const ImageEntry& image, const std::string& key) {
    if (image.deleted_at >= deletions_until_) {
      ++report_.counts.waiting;
      return;
    }
    add(Kind::kDeletedBlobLeft, blob, image,
        fmt::format("{} is there, although the image was deleted at {}", key,
                    to_rfc3339(image.deleted_at)));
  }

  void add(Kind kind, const NamedBlob& blob, const ImageEntry& image, std::string detail) {
    report_.findings.push_back(
        {blob.image, {kind, blob.topic, blob.named_by, image.id.str(), {}, std::move(detail)}});
  }

  BlobStore& store_;
  BlobMode mode_;
  const NamedBlobs& blobs_;
  const RequestBook& requests_;
  TimeMs deletions_until_;
  BlobReport report_;
};

}  // namespace

Result<BlobReport> check_blobs(BlobStore& store, BlobMode mode, const NamedBlobs& blobs,
                               const RequestBook& requests, TimeMs deletions_until,
                               const std::stop_token& stop) {
  Check check(store, mode, blobs, requests, deletions_until);
  if (mode == BlobMode::kNone) return check.take();
  for (const auto& blob : blobs.distinct()) {
    if (stop.stop_requested()) return told_to_stop();
    if (auto looked = check.look_at(blob); !looked) return Failure(looked.error());
  }
  return check.take();
}

}  // namespace thumb::auditor
