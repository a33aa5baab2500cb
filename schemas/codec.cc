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
  if (a.size() != b.size()) return false;
  return a == b ||
         std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// The headers that we read; of a name that is there twice the first.
struct Headers {
  std::optional<std::string_view> specversion;
  std::optional<std::string_view> id;
  std::optional<std::string_view> source;
  std::optional<std::string_view> type;
  std::optional<std::string_view> content_type;
  std::optional<std::string_view> traceparent;

  explicit Headers(const RecordView& record) {
    for (const auto& [name, value] : record.headers) {
      auto* const slot = slot_of(name);
      if (slot != nullptr && !*slot) *slot = value;
    }
  }

 private:
  // No two of these names are of one length, so most names of others are told by theirs.
  std::optional<std::string_view>* slot_of(std::string_view name) {
    const auto is = [name](std::string_view wanted, auto& slot) {
      return same_name(name, wanted) ? &slot : nullptr;
    };
    switch (name.size()) {
      case 5:
        return is("ce_id", id);
      case 7:
        return is("ce_type", type);
      case 9:
        return is("ce_source", source);
      case 11:
        return is("traceparent", traceparent);
      case 12:
        return is("content-type", content_type);
      case 14:
        return is("ce_specversion", specversion);
      default:
        return nullptr;
    }
  }
};

// The attributes we need of a CloudEvent, whichever mode it came in. Views into the record, or into
// `owned`: not to be moved.
struct Attributes {
  std::string_view specversion;
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view data;
  std::optional<std::string> traceparent;
  std::array<std::string, 5> owned;
};

void read_binary(const RecordView& record, const Headers& headers, Attributes& attributes) {
  attributes.specversion = headers.specversion.value_or("");
  attributes.id = headers.id.value_or("");
  attributes.source = headers.source.value_or("");
  attributes.type = headers.type.value_or("");
  attributes.data = *record.value;
  if (headers.traceparent) attributes.traceparent = valid_traceparent(*headers.traceparent);
}

// nlohmann writes by recursion: what is nested more deeply, by whoever wrote it, would end the
// reader.
constexpr int kDeepest = 1'000;

Result<void> read_structured(const RecordView& record, Attributes& attributes) {
  bool too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, const json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;  // the rest is left out
  };
  const auto outer = json::parse(*record.value, look, /*allow_exceptions=*/false);
  if (too_deep) return corrupt("not-a-cloudevent", "the structured event is nested too deeply");
  if (!outer.is_object()) return corrupt("not-a-cloudevent", "the structured event is not JSON");
  const auto text = [&](const char* name) {
    const auto at = outer.find(name);
    return at != outer.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto data = outer.find("data");
  if (data == outer.end()) return corrupt("invalid-event", "data must be there");
  attributes.owned = {text("specversion"), text("id"), text("source"), text("type"), data->dump()};
  attributes.specversion = attributes.owned[0];
  attributes.id = attributes.owned[1];
  attributes.source = attributes.owned[2];
  attributes.type = attributes.owned[3];
  attributes.data = attributes.owned[4];
  attributes.traceparent = valid_traceparent(text("traceparent"));
  return {};
}

bool is_structured(std::string_view type) {
  constexpr std::string_view kStructured = "application/cloudevents";
  return type.size() >= kStructured.size() &&
         std::ranges::equal(type.substr(0, kStructured.size()), kStructured, [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x | 0x20) : x) == y;
         });
}

Result<void> read_attributes(const RecordView& record, Attributes& attributes) {
  const Headers headers(record);
  if (is_structured(headers.content_type.value_or(""))) return read_structured(record, attributes);
  read_binary(record, headers, attributes);
  return {};
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

Result<DecodedEvent> decode_tombstone(const RecordView& record) {
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

Result<DecodedEvent> decode(const RecordView& record) {
  if (!record.value) {
    if (record.topic.ends_with(role_of(Topic::kImagePrivate).name)) return decode_tombstone(record);
    return corrupt("not-a-cloudevent", "the record has no value");
  }
  Attributes attributes;
  if (auto read = read_attributes(record, attributes); !read) return Failure(read.error());
  if (attributes.specversion != "1.0" || attributes.id.empty() || attributes.source.empty() ||
      attributes.type.empty()) {
    return corrupt("not-a-cloudevent",
                   "specversion 1.0, id, source and type are required CloudEvents attributes");
  }
  const auto name = name_in_type(attributes.type);
  if (!name) return Failure(name.error());
  auto event = event_from_json(*name, attributes.data);
  if (!event) return Failure(event.error());
  if (record.key != image_id_of(*event).str()) {
    return corrupt("invalid-event", "image_id must be the record's key");
  }
  if (!record.topic.ends_with(role_of(topic_of(*event)).name)) {
    return corrupt("unknown-event-type", fmt::format("{} does not belong on this topic", *name));
  }
  return DecodedEvent{std::move(*event), std::string(attributes.id),
                      std::move(attributes.traceparent)};
}

}  // namespace thumb
