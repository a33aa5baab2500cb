// What can happen to an image: the events of the log as plain values. What they look like on the
// wire is codec.h; who writes and reads which is topology.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "platform/clock.h"
#include "platform/log_position.h"
#include "schemas/ids.h"

namespace thumb {

struct PixelSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  friend bool operator==(const PixelSize&, const PixelSize&) = default;
};

// A claim check: where bytes lie, and how to tell that they are the right ones.
struct BlobRef {
  std::string key;
  std::uint64_t bytes = 0;
  std::string sha256;        // 64 lower-case hex digits
  std::string content_type;  // by the magic bytes, never by what a client claimed
  friend bool operator==(const BlobRef&, const BlobRef&) = default;
};

// How an image is fitted into its box. Fixed numbers: they are stored.
enum class Fit : std::uint8_t {
  kInside = 1,  // whole image within width x height, aspect kept, never enlarged
};

// One thumbnail that is asked for.
struct VariantSpec {
  std::string name;  // [a-z0-9-]{1,32}, unique within a request
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Fit fit = Fit::kInside;
  friend bool operator==(const VariantSpec&, const VariantSpec&) = default;
};

// What everybody gets who asks for nothing else: a 100x100 box.
[[nodiscard]] std::vector<VariantSpec> default_variants();

// One thumbnail that exists.
struct Variant {
  std::string name;
  BlobRef blob;
  PixelSize size;
  friend bool operator==(const Variant&, const Variant&) = default;
};

// What all events carry.
struct EventBase {
  ImageId image_id;
  RequestId request_id;
  std::string tenant = "default";
  std::string actor = "anonymous";  // who caused it; services write "service:<name>"
  friend bool operator==(const EventBase&, const EventBase&) = default;
};

// --- image-requests ---

// The original is durable; make its thumbnails.
struct ImageUploaded : EventBase {
  BlobRef original;
  PixelSize size;  // as the file's header says; orientation not applied
  std::vector<VariantSpec> variants;
  // Offset of this image's record on image-private (same partition number), if it has one: lets a
  // reader know that there is more to wait for.
  std::optional<std::int64_t> private_offset;
  friend bool operator==(const ImageUploaded&, const ImageUploaded&) = default;
};

// Make thumbnails of an image that was uploaded before.
struct ThumbnailRequested : EventBase {
  BlobRef original;
  std::vector<VariantSpec> variants;
  friend bool operator==(const ThumbnailRequested&, const ThumbnailRequested&) = default;
};

// The image and all that was made of it is to go.
struct ImageDeleted : EventBase {
  friend bool operator==(const ImageDeleted&, const ImageDeleted&) = default;
};

// --- thumbnail-started / -completed / -failed ---

// A processor took the request up. A hint, not part of the history.
struct ThumbnailStarted : EventBase {
  LogPosition request;  // of the request's record on image-requests
  friend bool operator==(const ThumbnailStarted&, const ThumbnailStarted&) = default;
};

struct StageTimes {
  std::chrono::milliseconds waited{0};  // from the request's append time to being taken up
  std::chrono::milliseconds fetched{0};
  std::chrono::milliseconds made{0};  // decode, resize, encode
  std::chrono::milliseconds stored{0};
  friend bool operator==(const StageTimes&, const StageTimes&) = default;
};

struct ThumbnailCompleted : EventBase {
  LogPosition request;
  TimeMs started_at;
  StageTimes stages;
  PixelSize original_size;  // as decoded, orientation applied
  std::vector<Variant> variants;
  friend bool operator==(const ThumbnailCompleted&, const ThumbnailCompleted&) = default;
};

struct ThumbnailFailed : EventBase {
  LogPosition request;
  TimeMs started_at;
  std::string code;     // stable: "corrupt-image", "too-many-pixels", "original-gone", ...
  std::string message;  // one sentence for people; no paths, no secrets
  friend bool operator==(const ThumbnailFailed&, const ThumbnailFailed&) = default;
};

// --- image-private (compacted) ---

// Personal fields of an image, kept apart so that a deletion can erase them.
struct ImagePrivate {
  ImageId image_id;
  std::string tenant = "default";
  std::string filename;  // as the client named it, UTF-8, at most 255 bytes, no control characters
  friend bool operator==(const ImagePrivate&, const ImagePrivate&) = default;
};

// The tombstone of the above.
struct ImagePrivateErased {
  ImageId image_id;
  friend bool operator==(const ImagePrivateErased&, const ImagePrivateErased&) = default;
};

using Event = std::variant<ImageUploaded, ThumbnailRequested, ImageDeleted, ThumbnailStarted,
                           ThumbnailCompleted, ThumbnailFailed, ImagePrivate, ImagePrivateErased>;

[[nodiscard]] const ImageId& image_id_of(const Event& event);
// Who caused it; empty for an event that says nothing of it.
[[nodiscard]] std::string actor_of(const Event& event);

}  // namespace thumb
