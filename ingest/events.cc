// The place from which a stream begins is taken before its head is sent, so what happens from then
// on is in it.
#include "ingest/events.h"

#include <memory>
#include <utility>

#include "ingest/answers.h"
#include "ingest/parameters.h"
#include "platform/http/problem.h"

namespace thumb::ingest {

namespace {

constexpr const char* kParameter = "last_event_id";
// Of a deleted image, read while its client waits.
constexpr std::size_t kRestScan = 1'000;

// An EventSource that comes back sends the header, and its old address again: the header is newer.
Result<std::optional<FeedPlace>> parse_last_event_id(const http::Request& request) {
  auto text = request.header("Last-Event-ID").value_or("");
  if (text.empty()) text = request.query_value(kParameter).value_or("");
  if (text.empty()) return std::nullopt;
  auto place = parse_event_id(text);
  if (!place) return Failure(place.error());
  return std::optional(std::move(*place));
}

http::Response event_stream() {
  http::Response response;
  // The last one is for nginx, which would hold events back.
  response.set("Content-Type", "text/event-stream")
      .set("Cache-Control", "no-store")
      .set("X-Accel-Buffering", "no");
  return response;
}

}  // namespace

void EventRoutes::all(const http::Request& request, http::Responder responder) {
  if (const auto ok = check_parameters(request, {kParameter}); !ok) {
    return responder.send(http::problem(ok.error()));
  }
  const auto from = parse_last_event_id(request);
  if (!from) return responder.send(http::problem(from.error()));
  responder.send(follow({}, *from));
}

void EventRoutes::image(const http::Request& request, http::Responder responder) {
  const auto query = parse_image_query(request, {kParameter});
  if (!query) return responder.send(http::problem(query.error()));
  auto from = parse_last_event_id(request);
  if (!from) return responder.send(http::problem(from.error()));
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  lookup_.find(*query, [this, shared, id = query->id,
                        from = std::move(*from)](const ImageLookup::Found& found) {
    if (auto refused = refusal(found)) {
      const bool deleted = found && *found && (*found)->deleted;
      auto rest = deleted && from ? rest_of(id, *from) : std::nullopt;
      return shared->send(std::move(rest ? *rest : *refused));
    }
    Subscription subscription{id, lookup_.partition_of(id), {}, !from};
    shared->send(follow(std::move(subscription), from));
  });
}

http::Response EventRoutes::follow(Subscription subscription,
                                   const std::optional<FeedPlace>& from) {
  const auto now = view_.changes(0, 0);
  if (!now) return http::problem(now.error());
  subscription.place = from.value_or(FeedPlace{now->view_id, now->newest});
  subscription.tell_place = !from && !subscription.tell_state;
  auto response = event_stream();
  response.body = http::StreamBody{hub_.subscribe(std::move(subscription))};
  return response;
}

// The deletion is in the feed behind `from`, or was the event at `from`; empty if neither is known.
std::optional<http::Response> EventRoutes::rest_of(const ImageId& id, const FeedPlace& from) {
  const auto before = from.sequence > 0 ? from.sequence - 1 : 0;
  const auto page = view_.changes(before, kRestScan);
  if (!page || page->view_id != from.view_id || page->oldest > from.sequence + 1) {
    return std::nullopt;
  }
  std::string text;
  for (const auto& change : page->changes) {
    if (change.id != id || change.sequence < from.sequence) continue;
    const bool over = change.state == ImageState::kDeleted;
    if (change.sequence == from.sequence) {
      if (over) return http::Response{.status = 204, .headers = {}, .body = {}};
      continue;
    }
    append_change(text, page->view_id, change);
    if (!over) continue;
    auto response = event_stream();
    response.body = std::move(text);
    return response;
  }
  return std::nullopt;
}

}  // namespace thumb::ingest
