// Joins the records one after the other, so that each is told with the state that it led to.
#include "ingest/history.h"

#include <memory>
#include <utility>

#include "ingest/answers.h"
#include "ingest/json_writer.h"
#include "ingest/parameters.h"
#include "platform/http/problem.h"
#include "schemas/row_join.h"

namespace thumb::ingest {

namespace {

void write_optional(JsonWriter& json, std::string_view name, std::string_view value) {
  json.key(name);
  value.empty() ? json.null() : json.string(value);
}

// Of the request that the record speaks of; the image's personal fields are of none.
void write_request(JsonWriter& json, const ImageRow& part) {
  json.key("request_id");
  if (part.requests.empty()) {
    json.null();
    return;
  }
  const RequestRow& request = part.requests.front();
  json.string(request.id.str());
  if (!request.failed) return;
  json.key("error")
      .begin_object()
      .field("code", request.failed->code)
      .field("message", request.failed->message)
      .end_object();
}

void write_entry(JsonWriter& json, const HistoryEntry& entry, const ImageRow& row,
                 const TopicNames& names) {
  json.begin_object().field("event", entry.event);
  write_optional(json, "state", row.visible() ? to_string(row.state()) : std::string_view());
  json.field("topic", names.of(entry.topic))
      .field("partition", static_cast<std::uint64_t>(entry.position.partition))
      .field("offset", static_cast<std::uint64_t>(entry.position.offset))
      .field("at", to_rfc3339(entry.at));
  write_optional(json, "actor", entry.actor);
  write_optional(json, "traceparent", entry.traceparent.value_or(std::string()));
  write_request(json, entry.part);
  json.end_object();
}

}  // namespace

void HistoryRoutes::get(const http::Request& request, http::Responder responder) {
  const auto query = parse_image_query(request);
  if (!query) return responder.send(http::problem(query.error()));
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  lookup_.find(*query, [this, shared, id = query->id](const ImageLookup::Found& found) {
    if (auto refused = refusal(found)) return shared->send(std::move(*refused));
    shared->send(answer(id));
  });
}

http::Response HistoryRoutes::answer(const ImageId& id) {
  const auto history = history_of(view_, id);
  if (!history) return history.error();
  ImageRow row;
  row.id = id;
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("id", id.str()).key("events").begin_array();
  for (const auto& entry : *history) {
    join(row, entry.part);
    write_entry(json, entry, row, names_);
  }
  json.end_array().end_object();
  return json_answer(200, std::move(body));
}

}  // namespace thumb::ingest
