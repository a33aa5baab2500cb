// One writer per event; schemas/event_reading.h has the readers, side by side in the same order.
#include "schemas/event_json.h"

#include <fmt/format.h>

#include <concepts>
#include <nlohmann/json.hpp>

#include "schemas/event_reading.h"
#include "schemas/json_fields.h"
#include "schemas/plain_json.h"

namespace thumb {
namespace {

using nlohmann::json;

// --- parts ---

void write_base(json& to, const EventBase& event) {
  to["image_id"] = event.image_id.str();
  to["request_id"] = event.request_id.str();
  to["tenant"] = event.tenant;
  to["actor"] = event.actor;
}

json write_size(const PixelSize& size) { return {{"width", size.width}, {"height", size.height}}; }

json write_position(const LogPosition& position) {
  return {{"partition", position.partition}, {"offset", position.offset}};
}

json write_blob(const BlobRef& blob) {
  return {{"key", blob.key},
          {"bytes", blob.bytes},
          {"sha256", blob.sha256},
          {"content_type", blob.content_type}};
}

json write_specs(const std::vector<VariantSpec>& specs) {
  auto array = json::array();
  for (const auto& spec : specs) {
    array.push_back(
        {{"name", spec.name}, {"width", spec.width}, {"height", spec.height}, {"fit", "inside"}});
  }
  return array;
}

// --- events ---

json write(const ImageUploaded& event) {
  json to{{"original", write_blob(event.original)},
          {"size", write_size(event.size)},
          {"variants", write_specs(event.variants)}};
  if (event.private_offset) to["private_offset"] = *event.private_offset;
  return to;
}

json write(const ThumbnailRequested& event) {
  return {{"original", write_blob(event.original)}, {"variants", write_specs(event.variants)}};
}

json write(const ImageDeleted&) { return json::object(); }

json write(const ThumbnailStarted& event) { return {{"request", write_position(event.request)}}; }

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

json write(const ThumbnailFailed& event) {
  return {{"request", write_position(event.request)},
          {"started_at", to_rfc3339(event.started_at)},
          {"code", event.code},
          {"message", event.message}};
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
  if (auto event = event_from_plain_json(name, text)) return std::move(*event);
  return event_from_any_json(name, text);
}

Result<Event> event_from_any_json(std::string_view name, std::string_view text) {
  const auto reader = event_reading::reader_of<JsonFields>(name);
  if (reader == nullptr) {
    return fail(ErrorKind::kCorrupt, "unknown-event-type",
                fmt::format("'{}' is not an event of ours", name.substr(0, 80)));
  }
  const auto data = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (data.is_discarded())
    return fail(ErrorKind::kCorrupt, "invalid-event", "the data is not JSON");
  std::optional<std::string> problem;
  JsonFields fields(data, "", problem);
  auto event = reader(fields);
  if (problem) return fail(ErrorKind::kCorrupt, "invalid-event", *problem);
  return event;
}

}  // namespace thumb
