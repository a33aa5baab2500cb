// See answers.h.
#include "ingest/answers.h"

#include <nlohmann/json.hpp>

#include "ingest/resource_json.h"
#include "platform/http/problem.h"

namespace thumb::ingest {

using nlohmann::ordered_json;

http::Response json_answer(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.reserve(4);
  response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

std::optional<http::Response> refusal(const ImageLookup::Found& found) {
  if (!found) return http::problem(found.error());
  if (!*found) return http::problem(404, "unknown-image", "There is no image of that id.");
  if ((*found)->deleted) {
    return extended(http::problem(410, "image-deleted", "The image was deleted."),
                    deleted_json(**found));
  }
  return std::nullopt;
}

tl::expected<std::vector<HistoryEntry>, http::Response> history_of(ViewReader& view,
                                                                   const ImageId& id) {
  auto history = view.history(id);
  if (!history) return tl::unexpected(http::problem(history.error()));
  if (history->empty()) {
    if (auto refused = refusal(view.get(id))) return tl::unexpected(std::move(*refused));
  }
  return std::move(*history);
}

http::Response extended(http::Response problem, const std::string& members) {
  auto body = ordered_json::parse(std::get<std::string>(problem.body));
  body.update(ordered_json::parse(members));
  problem.body = body.dump();
  return problem;
}

Error workers_busy() {
  return {.kind = ErrorKind::kUnavailable,
          .retry = Retry::kBackoff,
          .code = "busy",
          .message = "All workers are busy and their queue is full; try again shortly.",
          .detail = {}};
}

}  // namespace thumb::ingest
