// GET /v1/events and GET /v1/images/{id}/events: changes as they happen, as Server-Sent Events.
#pragma once

#include "ingest/change_hub.h"
#include "ingest/lookup.h"
#include "platform/http/message.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructor outlives every request, and the hub every
// stream.
class EventRoutes {
 public:
  EventRoutes(ImageLookup& lookup, ViewReader& view, ChangeHub& hub)
      : lookup_(lookup), view_(view), hub_(hub) {}

  // 200 text/event-stream: from now on, or from behind Last-Event-ID (the header, else the query
  // parameter last_event_id); 400 "bad-last-event-id", 503.
  void all(const http::Request& request, http::Responder responder);
  // The same of one image, beginning with its state, up to its deletion. 400, 404, 410, 503 as
  // refusal() says. Of a deleted image, with a Last-Event-ID: what is missing up to the deletion,
  // or 204 (which tells an EventSource to stop) if that was the last event.
  void image(const http::Request& request, http::Responder responder);

 private:
  [[nodiscard]] http::Response follow(Subscription subscription,
                                      const std::optional<FeedPlace>& from);
  [[nodiscard]] std::optional<http::Response> rest_of(const ImageId& id, const FeedPlace& from);

  ImageLookup& lookup_;
  ViewReader& view_;
  ChangeHub& hub_;
};

}  // namespace thumb::ingest
