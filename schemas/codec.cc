// CloudEvents 1.0 Kafka binding: https://github.com/cloudevents/spec
// (kafka-protocol-binding, 1.0.2). Written in binary mode, read in binary and structured mode.
#include "schemas/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "schemas/event_json.h"
#include "schemas/trace.h"

namespace thumb {
namespace {

using nlohmann::json;

constexpr std::string_view kTypePrefix = "io.thumbstream.";
constexpr std::string_view kVersion = ".v1";

struct EventFacts {
  std::string_view name;
  Topic topic;
};

// In the order of the Event variant.
constexpr std::array<EventFacts, std::variant_size_v<Event>> kFacts = {{
    {"image-uploaded", Topic::kImageRequests},
    {"thumbnail-requested", Topic::kImageRequests},
    {"image-deleted", Topic::kImageRequests},
    {"thumbnail-started", Topic::kThumbnailStarted},
    {"thumbnail-completed", Topic::kThumbnailCompleted},
    {"thumbnail-failed", Topic::kThumbnailFailed},
    {"image-private", Topic::kImagePrivate},
    {"image-private-erased", Topic::kImagePrivate},
}};

Failure corrupt(std::string_view code, std::string_view message) {
  return fail(ErrorKind::kCorrupt, code, message);
}

// What identifies the event for whoever sees it twice.
std::string event_id_of(const Event& event) {
  const auto subject = std::visit(
      [](const auto& e) {
        if constexpr (requires { e.request_id; }) return e.request_id.str();
        return e.image_id.str();
      },
      event);
  return fmt::format("{}:{}", subject, event_name(event));
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

std::optional<std::string_view> find_header(const InRecord& record, std::string_view name) {
  for (const auto& header : record.headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

// The attributes we need of a CloudEvent, whichever mode it came in.
struct Attributes {
  std::string specversion;
  std::string id;
  std::string source;
  std::string type;
  std::optional<std::string> traceparent;
  std::string data;
};

Result<Attributes> read_binary(const InRecord& record) {
  const auto text = [&](std::string_view name) {
    return std::string(find_header(record, name).value_or(""));
  };
  Attributes attributes{text("ce_specversion"), text("ce_id"), text("ce_source"),
                        text("ce_type"),        std::nullopt,  *record.value};
  if (const auto trace = find_header(record, "traceparent")) {
    attributes.traceparent = valid_traceparent(*trace);
  }
  return attributes;
}

Result<Attributes> read_structured(const InRecord& record) {
  const auto outer = json::parse(*record.value, nullptr, /*allow_exceptions=*/false);
  if (!outer.is_object()) return corrupt("not-a-cloudevent", "the structured event is not JSON");
  const auto text = [&](const char* name) {
    const auto at = outer.find(name);
    return at != outer.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  Attributes attributes{text("specversion"),
                        text("id"),
                        text("source"),
                        text("type"),
                        valid_traceparent(text("traceparent")),
                        ""};
  const auto data = outer.find("data");
  if (data == outer.end()) return corrupt("invalid-event", "data must be there");
  attributes.data = data->dump();
  return attributes;
}

Result<Attributes> read_attributes(const InRecord& record) {
  auto content_type = std::string(find_header(record, "content-type").value_or(""));
  std::ranges::transform(content_type, content_type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return content_type.starts_with("application/cloudevents") ? read_structured(record)
                                                             : read_binary(record);
}

// "io.thumbstream.image-uploaded.v1" -> "image-uploaded".
Result<std::string_view> name_in_type(std::string_view type) {
  if (!type.starts_with(kTypePrefix)) {
    return corrupt("unknown-event-type",
                   fmt::format("ce_type '{}' is not an event of ours", type.substr(0, 80)));
  }
  const auto rest = type.substr(kTypePrefix.size());
  const auto dot = rest.rfind('.');
  if (dot == std::string_view::npos || rest.substr(dot) != kVersion) {
    return corrupt("unknown-event-version",
                   fmt::format("ce_type '{}' is not of version 1", type.substr(0, 80)));
  }
  return rest.substr(0, dot);
}

Result<DecodedEvent> decode_tombstone(const InRecord& record) {
  const auto id = ImageId::parse(record.key);
  if (!id) return corrupt("invalid-event", "the key must be an image id");
  return DecodedEvent{ImagePrivateErased{*id}, id->str() + ":image-private-erased", std::nullopt};
}

}  // namespace

Topic topic_of(const Event& event) { return kFacts.at(event.index()).topic; }

std::string_view event_name(const Event& event) { return kFacts.at(event.index()).name; }

OutRecord encode(const Event& event, const EventContext& context, const TopicNames& names) {
  const auto name = event_name(event);
  OutRecord record;
  record.topic = names.of(topic_of(event));
  record.key = image_id_of(event).str();
  record.headers = {
      {"ce_specversion", "1.0"},
      {"ce_id", event_id_of(event)},
      {"ce_source", context.source},
      {"ce_type", fmt::format("{}{}{}", kTypePrefix, name, kVersion)},
      {"ce_subject", record.key},
      {"ce_time", to_rfc3339(context.time)},
  };
  if (!std::holds_alternative<ImagePrivateErased>(event)) {
    record.value = event_to_json(event);
    record.headers.push_back({"ce_dataschema", fmt::format("urn:thumbstream:schema:{}:1", name)});
    record.headers.push_back({"content-type", "application/json"});
  }
  if (context.traceparent) record.headers.push_back({"traceparent", *context.traceparent});
  return record;
}

Result<DecodedEvent> decode(const InRecord& record) {
  if (!record.value) {
    if (record.topic.ends_with(role_of(Topic::kImagePrivate).name)) return decode_tombstone(record);
    return corrupt("not-a-cloudevent", "the record has no value");
  }
  auto attributes = read_attributes(record);
  if (!attributes) return Failure(attributes.error());
  if (attributes->specversion != "1.0" || attributes->id.empty() || attributes->source.empty() ||
      attributes->type.empty()) {
    return corrupt("not-a-cloudevent",
                   "specversion 1.0, id, source and type are required CloudEvents attributes");
  }
  const auto name = name_in_type(attributes->type);
  if (!name) return Failure(name.error());
  auto event = event_from_json(*name, attributes->data);
  if (!event) return Failure(event.error());
  if (record.key != image_id_of(*event).str()) {
    return corrupt("invalid-event", "image_id must be the record's key");
  }
  if (!record.topic.ends_with(role_of(topic_of(*event)).name)) {
    return corrupt("unknown-event-type", fmt::format("{} does not belong on this topic", *name));
  }
  return DecodedEvent{std::move(*event), std::move(attributes->id),
                      std::move(attributes->traceparent)};
}

}  // namespace thumb
