// One writer and one reader per event, side by side.
#include "schemas/event_json.h"

#include <fmt/format.h>

#include <concepts>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "schemas/image_format.h"
#include "schemas/json_fields.h"

namespace thumb {
namespace {

using nlohmann::json;
using Fields = JsonFields;

constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxPixelSide = 1'000'000;
constexpr std::size_t kMaxVariants = 64;

bool only_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// --- parts ---

void write_base(json& to, const EventBase& event) {
  to["image_id"] = event.image_id.str();
  to["request_id"] = event.request_id.str();
  to["tenant"] = event.tenant;
  to["actor"] = event.actor;
}

void read_base(Fields& from, EventBase& event) {
  event.image_id = from.id<ImageId>("image_id");
  event.request_id = from.id<RequestId>("request_id");
  event.tenant = from.text("tenant", 1, 128);
  event.actor = from.text("actor", 1, 128);
}

json write_size(const PixelSize& size) { return {{"width", size.width}, {"height", size.height}}; }

PixelSize read_size(Fields from) {
  return {static_cast<std::uint32_t>(from.integer("width", 1, kMaxPixelSide)),
          static_cast<std::uint32_t>(from.integer("height", 1, kMaxPixelSide))};
}

json write_position(const LogPosition& position) {
  return {{"partition", position.partition}, {"offset", position.offset}};
}

LogPosition read_position(Fields from) {
  return {static_cast<std::int32_t>(from.integer("partition", 0, kMaxInt32)),
          from.integer("offset", 0, kMaxInt64)};
}

json write_blob(const BlobRef& blob) {
  return {{"key", blob.key},
          {"bytes", blob.bytes},
          {"sha256", blob.sha256},
          {"content_type", blob.content_type}};
}

BlobRef read_blob(Fields from) {
  BlobRef blob;
  blob.key = from.text("key", 1, 512);
  blob.bytes = static_cast<std::uint64_t>(from.integer("bytes", 1, kMaxInt64));
  blob.sha256 = from.text("sha256", 64, 64);
  if (!only_of(blob.sha256, "0123456789abcdef")) from.complain("sha256", "lower-case hex");
  blob.content_type = from.text("content_type", 1, 128);
  return blob;
}

std::string read_variant_name(Fields& from) {
  auto name = from.text("name", 1, 32);
  if (!only_of(name, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    from.complain("name", "of a-z, 0-9 and -");
  }
  return name;
}

json write_specs(const std::vector<VariantSpec>& specs) {
  auto array = json::array();
  for (const auto& spec : specs) {
    array.push_back(
        {{"name", spec.name}, {"width", spec.width}, {"height", spec.height}, {"fit", "inside"}});
  }
  return array;
}

std::vector<VariantSpec> read_specs(Fields& from) {
  std::vector<VariantSpec> specs;
  std::set<std::string> names;
  from.objects("variants", 1, kMaxVariants, [&](Fields each) {
    VariantSpec spec;
    spec.name = read_variant_name(each);
    if (!names.insert(spec.name).second) each.complain("name", "unique");
    spec.width = static_cast<std::uint32_t>(each.integer("width", 1, 65535));
    spec.height = static_cast<std::uint32_t>(each.integer("height", 1, 65535));
    if (each.text("fit", 1, 32) != "inside") each.complain("fit", "\"inside\"");
    specs.push_back(std::move(spec));
  });
  return specs;
}

// --- events ---

json write(const ImageUploaded& event) {
  json to{{"original", write_blob(event.original)},
          {"size", write_size(event.size)},
          {"variants", write_specs(event.variants)}};
  if (event.private_offset) to["private_offset"] = *event.private_offset;
  return to;
}

void read(Fields& from, ImageUploaded& event) {
  event.original = read_blob(from.object("original"));
  event.size = read_size(from.object("size"));
  event.variants = read_specs(from);
  if (from.has("private_offset"))
    event.private_offset = from.integer("private_offset", 0, kMaxInt64);
}

json write(const ThumbnailRequested& event) {
  return {{"original", write_blob(event.original)}, {"variants", write_specs(event.variants)}};
}

void read(Fields& from, ThumbnailRequested& event) {
  event.original = read_blob(from.object("original"));
  event.variants = read_specs(from);
}

json write(const ImageDeleted&) { return json::object(); }

void read(Fields&, ImageDeleted&) {}

json write(const ThumbnailStarted& event) { return {{"request", write_position(event.request)}}; }

void read(Fields& from, ThumbnailStarted& event) {
  event.request = read_position(from.object("request"));
}

json write(const ThumbnailCompleted& event) {
  json to{{"request", write_position(event.request)},
          {"started_at", to_rfc3339(event.started_at)},
          {"stages_ms",
           {{"waited", event.stages.waited.count()},
            {"fetched", event.stages.fetched.count()},
            {"made", event.stages.made.count()},
            {"stored", event.stages.stored.count()}}},
          {"original_size", write_size(event.original_size)},
          {"variants", json::array()}};
  for (const auto& variant : event.variants) {
    to["variants"].push_back({{"name", variant.name},
                              {"blob", write_blob(variant.blob)},
                              {"size", write_size(variant.size)}});
  }
  return to;
}

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
  from.objects("variants", 1, kMaxVariants, [&](Fields each) {
    auto name = read_variant_name(each);
    auto blob = read_blob(each.object("blob"));
    event.variants.push_back({std::move(name), std::move(blob), read_size(each.object("size"))});
  });
}

json write(const ThumbnailFailed& event) {
  return {{"request", write_position(event.request)},
          {"started_at", to_rfc3339(event.started_at)},
          {"code", event.code},
          {"message", event.message}};
}

void read(Fields& from, ThumbnailFailed& event) {
  event.request = read_position(from.object("request"));
  event.started_at = from.time("started_at");
  event.code = from.text("code", 1, 64);
  if (!only_of(event.code, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    from.complain("code", "of a-z, 0-9 and -");
  }
  event.message = from.text("message", 1, 1024);
}

template <typename E>
Event read_event(Fields& from) {
  E event;
  read_base(from, event);
  read(from, event);
  return event;
}

Event read_private(Fields& from) {
  ImagePrivate event;
  event.image_id = from.id<ImageId>("image_id");
  event.tenant = from.text("tenant", 1, 128);
  event.filename = from.text("filename", 1, 255);
  return event;
}

using Reader = Event (*)(Fields&);

Reader reader_of(std::string_view name) {
  static const std::map<std::string_view, Reader> kReaders = {
      {"image-uploaded", read_event<ImageUploaded>},
      {"thumbnail-requested", read_event<ThumbnailRequested>},
      {"image-deleted", read_event<ImageDeleted>},
      {"thumbnail-started", read_event<ThumbnailStarted>},
      {"thumbnail-completed", read_event<ThumbnailCompleted>},
      {"thumbnail-failed", read_event<ThumbnailFailed>},
      {"image-private", read_private},
  };
  const auto at = kReaders.find(name);
  return at == kReaders.end() ? nullptr : at->second;
}

struct Writer {
  template <typename E>
  requires std::derived_from<E, EventBase> json operator()(const E& event) const {
    json to = write(event);
    write_base(to, event);
    return to;
  }
  json operator()(const ImagePrivate& event) const {
    return {
        {"image_id", event.image_id.str()}, {"tenant", event.tenant}, {"filename", event.filename}};
  }
  json operator()(const ImagePrivateErased&) const { return json::object(); }
};

}  // namespace

std::string event_to_json(const Event& event) {
  return std::visit(Writer{}, event).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Event> event_from_json(std::string_view name, std::string_view text) {
  const auto reader = reader_of(name);
  if (reader == nullptr) {
    return fail(ErrorKind::kCorrupt, "unknown-event-type",
                fmt::format("'{}' is not an event of ours", name.substr(0, 80)));
  }
  const auto data = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (data.is_discarded())
    return fail(ErrorKind::kCorrupt, "invalid-event", "the data is not JSON");
  std::optional<std::string> problem;
  Fields fields(data, "", problem);
  auto event = reader(fields);
  if (problem) return fail(ErrorKind::kCorrupt, "invalid-event", *problem);
  return event;
}

}  // namespace thumb
