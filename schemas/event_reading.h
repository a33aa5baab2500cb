// The rules of each event's fields, once for both parsers: `Fields` is JsonFields (which can say
// what is wrong) or PlainFields (which is fast). Internal to the codec. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/events.h"

namespace thumb::event_reading {

inline constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kMaxPixelSide = 1'000'000;
inline constexpr std::size_t kMaxVariants = 64;

inline bool only_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// Without a way out in the middle: what is read is hex nearly always.
inline bool lower_hex(std::string_view text) {
  bool right = true;
  for (const char c : text) right &= (c >= '0' && c <= '9') | (c >= 'a' && c <= 'f');
  return right;
}

// --- parts ---

template <typename Fields>
void read_base(Fields& from, EventBase& event) {
  event.image_id = from.template id<ImageId>("image_id");
  event.request_id = from.template id<RequestId>("request_id");
  event.tenant = from.text("tenant", 1, 128);
  event.actor = from.text("actor", 1, 128);
}

template <typename Fields>
PixelSize read_size(Fields from) {
  return {static_cast<std::uint32_t>(from.integer("width", 1, kMaxPixelSide)),
          static_cast<std::uint32_t>(from.integer("height", 1, kMaxPixelSide))};
}

template <typename Fields>
LogPosition read_position(Fields from) {
  return {static_cast<std::int32_t>(from.integer("partition", 0, kMaxInt32)),
          from.integer("offset", 0, kMaxInt64)};
}

template <typename Fields>
BlobRef read_blob(Fields from) {
  BlobRef blob;
  blob.key = from.text("key", 1, 512);
  blob.bytes = static_cast<std::uint64_t>(from.integer("bytes", 1, kMaxInt64));
  blob.sha256 = from.text("sha256", 64, 64);
  if (!lower_hex(blob.sha256)) from.complain("sha256", "lower-case hex");
  blob.content_type = from.text("content_type", 1, 128);
  return blob;
}

template <typename Fields>
std::string read_variant_name(Fields& from) {
  auto name = from.text("name", 1, 32);
  if (!only_of(name, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    from.complain("name", "of a-z, 0-9 and -");
  }
  return name;
}

template <typename Fields>
std::vector<VariantSpec> read_specs(Fields& from) {
  std::vector<VariantSpec> specs;
  from.objects("variants", 1, kMaxVariants, [&specs](Fields each) {
    VariantSpec spec;
    spec.name = read_variant_name(each);
    const bool known = std::ranges::find(specs, spec.name, &VariantSpec::name) != specs.end();
    if (known) each.complain("name", "unique");
    spec.width = static_cast<std::uint32_t>(each.integer("width", 1, 65535));
    spec.height = static_cast<std::uint32_t>(each.integer("height", 1, 65535));
    if (each.text("fit", 1, 32) != "inside") each.complain("fit", "\"inside\"");
    specs.push_back(std::move(spec));
  });
  return specs;
}

// --- events ---

template <typename Fields>
void read(Fields& from, ImageUploaded& event) {
  event.original = read_blob(from.object("original"));
  event.size = read_size(from.object("size"));
  event.variants = read_specs(from);
  if (from.has("private_offset")) {
    event.private_offset = from.integer("private_offset", 0, kMaxInt64);
  }
}

template <typename Fields>
void read(Fields& from, ThumbnailRequested& event) {
  event.original = read_blob(from.object("original"));
  event.variants = read_specs(from);
}

template <typename Fields>
void read(Fields& /*from*/, ImageDeleted& /*event*/) {}

template <typename Fields>
void read(Fields& from, ThumbnailStarted& event) {
  event.request = read_position(from.object("request"));
}

template <typename Fields>
void read(Fields& from, ThumbnailCompleted& event) {
  event.request = read_position(from.object("request"));
  event.started_at = from.time("started_at");
  auto stages = from.object("stages_ms");
  using std::chrono::milliseconds;
  event.stages.waited = milliseconds(stages.integer("waited", 0, kMaxInt64));
  event.stages.fetched = milliseconds(stages.integer("fetched", 0, kMaxInt64));
  event.stages.made = milliseconds(stages.integer("made", 0, kMaxInt64));
  event.stages.stored = milliseconds(stages.integer("stored", 0, kMaxInt64));
  event.original_size = read_size(from.object("original_size"));
  from.objects("variants", 1, kMaxVariants, [&event](Fields each) {
    auto name = read_variant_name(each);
    auto blob = read_blob(each.object("blob"));
    event.variants.push_back({std::move(name), std::move(blob), read_size(each.object("size"))});
  });
}

template <typename Fields>
void read(Fields& from, ThumbnailFailed& event) {
  event.request = read_position(from.object("request"));
  event.started_at = from.time("started_at");
  event.code = from.text("code", 1, 64);
  if (!only_of(event.code, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    from.complain("code", "of a-z, 0-9 and -");
  }
  event.message = from.text("message", 1, 1024);
}

template <typename E, typename Fields>
Event read_event(Fields& from) {
  E event;
  read_base(from, event);
  read(from, event);
  return event;
}

template <typename Fields>
Event read_private(Fields& from) {
  ImagePrivate event;
  event.image_id = from.template id<ImageId>("image_id");
  event.tenant = from.text("tenant", 1, 128);
  event.filename = from.text("filename", 1, 255);
  return event;
}

template <typename Fields>
using Reader = Event (*)(Fields&);

// Null if no event of ours has that name.
template <typename Fields>
Reader<Fields> reader_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Reader<Fields>>, 7> kReaders = {{
      {"image-uploaded", read_event<ImageUploaded, Fields>},
      {"thumbnail-requested", read_event<ThumbnailRequested, Fields>},
      {"image-deleted", read_event<ImageDeleted, Fields>},
      {"thumbnail-started", read_event<ThumbnailStarted, Fields>},
      {"thumbnail-completed", read_event<ThumbnailCompleted, Fields>},
      {"thumbnail-failed", read_event<ThumbnailFailed, Fields>},
      {"image-private", read_private<Fields>},
  }};
  const auto* const at =
      std::ranges::find(kReaders, name, &std::pair<std::string_view, Reader<Fields>>::first);
  return at == kReaders.end() ? nullptr : at->second;
}

}  // namespace thumb::event_reading
