// Events and ids for tests, one of each kind, filled with plausible values.
#pragma once

#include <string>
#include <vector>

#include "schemas/blob_keys.h"
#include "schemas/events.h"

namespace thumb::testing {

// A different id for each number, in order.
inline ImageId image_id(std::uint8_t n) {
  ImageId id{make_uuid_v7(time_from_ms(1'769'847'330'000 + n), {})};
  id.bytes[15] = n;
  return id;
}

inline RequestId request_id(std::uint8_t n) {
  RequestId id{image_id(n).bytes};
  id.bytes[14] = 0xee;
  return id;
}

inline BlobRef original_of(const ImageId& id) {
  const std::string sha256(64, 'a');
  return {original_blob_key(id, sha256), 231'904, sha256, "image/jpeg"};
}

inline Variant thumbnail_of(const ImageId& id) {
  const std::string sha256(64, 'c');
  return {"default",
          {thumbnail_blob_key(id, "default", sha256), 3'120, sha256, "image/jpeg"},
          {100, 75}};
}

inline EventBase base_of(const ImageId& id, const RequestId& request) {
  return {id, request, "default", "anonymous"};
}

inline ImageUploaded uploaded(const ImageId& id) {
  return {
      base_of(id, upload_request_id(id)), original_of(id), {4032, 3024}, default_variants(), {}};
}

inline ThumbnailRequested requested(const ImageId& id, const RequestId& request) {
  return {base_of(id, request), original_of(id), default_variants()};
}

inline ImageDeleted deleted(const ImageId& id, const RequestId& request) {
  return {base_of(id, request)};
}

inline ThumbnailStarted started(const ImageId& id, const RequestId& request, LogPosition cause) {
  return {base_of(id, request), cause};
}

inline ThumbnailCompleted completed(const ImageId& id, const RequestId& request,
                                    LogPosition cause) {
  using std::chrono::milliseconds;
  return {base_of(id, request),
          cause,
          time_from_ms(1'769'847'331'000),
          {milliseconds(4), milliseconds(1), milliseconds(19), milliseconds(3)},
          {4032, 3024},
          {thumbnail_of(id)}};
}

inline ThumbnailFailed failed(const ImageId& id, const RequestId& request, LogPosition cause) {
  return {base_of(id, request), cause, time_from_ms(1'769'847'331'000), "corrupt-image",
          "the image's data is damaged"};
}

inline ImagePrivate personal(const ImageId& id, std::string filename = "holiday.jpg") {
  return {id, "default", std::move(filename)};
}

inline std::vector<Event> one_of_each() {
  const auto id = image_id(1);
  const auto again = request_id(2);
  auto with_private = uploaded(id);
  with_private.private_offset = 17;
  return {uploaded(id),
          with_private,
          requested(id, again),
          deleted(id, request_id(3)),
          started(id, again, {3, 1041}),
          completed(id, again, {3, 1041}),
          failed(id, again, {3, 1041}),
          personal(id),
          ImagePrivateErased{id}};
}

}  // namespace thumb::testing
