// The row of the view: everything that is known of one image, as a join of its events.
//
// A row is a function of the *set* of the image's events, so each part remembers which event it
// came from (by offset) and is empty until that event was seen. Terminal events may arrive before
// the request they answer, since they travel on other topics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/bytes.h"
#include "platform/clock.h"
#include "platform/result.h"
#include "schemas/events.h"

namespace thumb {

// Fixed numbers: they are stored in indexes and counters. Order within a request is the fold's
// order.
enum class ImageState : std::uint8_t {
  kAccepted = 1,
  kProcessing = 2,
  kFailed = 3,
  kCompleted = 4,
  kDeleted = 5,
};

inline constexpr ImageState kAllImageStates[] = {ImageState::kAccepted, ImageState::kProcessing,
                                                 ImageState::kFailed, ImageState::kCompleted,
                                                 ImageState::kDeleted};

[[nodiscard]] std::string_view to_string(ImageState state);
[[nodiscard]] std::optional<ImageState> parse_image_state(std::string_view text);

// One request for thumbnails (the upload is the first).
struct RequestRow {
  struct Asked {
    std::int64_t offset = 0;  // on image-requests
    TimeMs at;
    std::string actor;
    friend bool operator==(const Asked&, const Asked&) = default;
  };
  struct Completed {
    std::int64_t offset = 0;  // on thumbnail-completed
    TimeMs at;
    PixelSize original_size;
    std::vector<Variant> variants;
    friend bool operator==(const Completed&, const Completed&) = default;
  };
  struct Failed {
    std::int64_t offset = 0;  // on thumbnail-failed
    TimeMs at;
    std::string code;
    std::string message;
    friend bool operator==(const Failed&, const Failed&) = default;
  };

  RequestId id;
  std::optional<Asked> asked;
  std::optional<TimeMs> started_at;  // a hint; the earliest one seen; not part of the digest
  std::optional<Completed> completed;
  std::optional<Failed> failed;

  [[nodiscard]] ImageState state() const;
  friend bool operator==(const RequestRow&, const RequestRow&) = default;
};

struct ImageRow {
  struct Upload {
    std::int64_t offset = 0;  // on image-requests
    TimeMs at;
    std::string tenant;
    BlobRef original;
    PixelSize size;
    std::vector<VariantSpec> variants;
    std::optional<std::int64_t> private_offset;
    friend bool operator==(const Upload&, const Upload&) = default;
  };
  struct Private {
    std::int64_t offset = 0;  // on image-private; the highest wins (the topic is compacted)
    std::string filename;     // empty after a tombstone
    friend bool operator==(const Private&, const Private&) = default;
  };
  // Absorbs everything else: a deleted row holds nothing but this.
  struct Deletion {
    std::int64_t offset = 0;  // on image-requests
    TimeMs at;
    std::string tenant;
    std::string by;
    friend bool operator==(const Deletion&, const Deletion&) = default;
  };

  ImageId id;
  std::optional<Upload> upload;
  // Ordered by (asked offset, id); requests whose own record was not seen yet come last.
  std::vector<RequestRow> requests;
  std::optional<Private> personal;
  std::optional<Deletion> deleted;

  // A row without its upload (and not deleted) is not shown to anyone.
  [[nodiscard]] bool visible() const { return upload.has_value() || deleted.has_value(); }
  // REQUIRES: visible(). That of the newest request by offset; kDeleted absorbs all.
  [[nodiscard]] ImageState state() const;
  // The request with the highest offset among those asked; null if there is none.
  [[nodiscard]] const RequestRow* newest() const;
  // The newest completed one: what the thumbnail routes serve; null if there is none.
  [[nodiscard]] const RequestRow* newest_completed() const;
  // How many requests were asked so far (rank of the newest one).
  [[nodiscard]] std::size_t generation() const;
  // REQUIRES: visible(). Record time of the newest event that counts, started hints included.
  [[nodiscard]] TimeMs updated_at() const;

  friend bool operator==(const ImageRow&, const ImageRow&) = default;
};

// Raised when anything stored in the view changes its form or meaning: a view of another version is
// rebuilt, never converted.
inline constexpr std::uint8_t kRowVersion = 2;

// The stored form: version byte, then length-prefixed fields (docs/view_format.md). Equal rows give
// equal bytes. The id is not inside; it is the key.
[[nodiscard]] std::string encode_row(const ImageRow& row);
[[nodiscard]] Result<ImageRow> decode_row(const ImageId& id, std::string_view bytes);

// Appends to `out` the stored row as the digest sees it: started hints left out, since
// thumbnail-started is kept only for days, and tombstones of names, which compaction removes. Adds
// nothing if nothing remains. All else is copied as it is stored. Errors: those of decode_row(),
// and then `out` has something half done behind what it had.
[[nodiscard]] Result<void> append_canonical_row(const ImageId& id, std::string_view stored,
                                                std::string& out);

}  // namespace thumb
