// Both answer on the calling thread unless something has to be waited for.
#include "ingest/status.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "ingest/answers.h"
#include "ingest/json_writer.h"
#include "ingest/parameters.h"
#include "ingest/resource_json.h"
#include "platform/http/problem.h"

namespace thumb::ingest {

namespace {

std::string next_path(const ListQuery& query, const std::string& cursor) {
  auto path = fmt::format("/v1/images?limit={}", query.limit);
  if (query.state) path += fmt::format("&state={}", to_string(*query.state));
  return path + "&cursor=" + percent_encode(cursor);
}

}  // namespace

void StatusRoutes::get(const http::Request& request, http::Responder responder) {
  const auto query = parse_image_query(request, {"at"});
  if (!query) return responder.send(http::problem(query.error()));
  const auto at = parse_at(request);
  if (!at) return responder.send(http::problem(at.error()));
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  lookup_.find(*query, [this, shared, at = *at](const ImageLookup::Found& found) {
    if (auto refused = refusal(found)) return shared->send(std::move(*refused));
    const auto& row = **found;
    if (at) return shared->send(state_as_of(row.id, *at));
    shared->send(json_answer(200, resource_json(row, lookup_.partition_of(row.id))));
  });
}

http::Response StatusRoutes::state_as_of(const ImageId& id, TimeMs at) {
  const auto history = history_of(view_, id);
  if (!history) return history.error();
  const ImageRow row = row_as_of(id, *history, at);
  if (!row.visible()) {
    return http::problem(404, "not-there-yet", "The image was not there yet at that time.");
  }
  return json_answer(200, resource_json(row, lookup_.partition_of(id)));
}

void StatusRoutes::list(const http::Request& request, http::Responder responder) {
  auto query = parse_list_query(request);
  if (!query) return responder.send(http::problem(query.error()));
  const auto positions = parse_min_positions(request);
  if (!positions) return responder.send(http::problem(positions.error()));
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  lookup_.await_positions(
      *positions, [this, shared, query = std::move(*query)](const Result<void>& reached) {
        shared->send(reached ? list_page(query) : http::problem(reached.error()));
      });
}

http::Response StatusRoutes::list_page(const ListQuery& query) {
  const auto page = view_.list(query);
  if (!page) return http::problem(page.error());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("images").begin_array();
  for (const auto& row : page->rows) append_resource(body, row, lookup_.partition_of(row.id));
  json.end_array().key("next");
  if (page->next_cursor.empty()) {
    json.null().end_object();
    return json_answer(200, std::move(body));
  }
  const auto next = next_path(query, page->next_cursor);
  json.string(next).end_object();
  auto response = json_answer(200, std::move(body));
  response.set("Link", fmt::format("<{}>; rel=\"next\"", next));
  return response;
}

}  // namespace thumb::ingest
