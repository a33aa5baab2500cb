// One line a route; each request is watched until its answer.
#include "ingest/routes.h"

namespace thumb::ingest {

namespace {

using http::Method;

// `handle` of `object` as a handler whose requests are counted.
template <typename T>
http::Handler bound(InFlight& in_flight, T& object,
                    void (T::*handle)(const http::Request&, http::Responder)) {
  return [&in_flight, &object, handle](const http::Request& request, http::Responder responder) {
    (object.*handle)(request, in_flight.watch(std::move(responder)));
  };
}

http::Response fixed(std::string content_type, std::string body) {
  http::Response response;
  response.set("Content-Type", std::move(content_type)).set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

void add_system_routes(http::Router& router, const Routes& routes) {
  router.add(Method::kGet, "/v1/system/pulse", [](const http::Request&, http::Responder responder) {
    responder.send(fixed("application/json", R"({"alive":true})"));
  });
  router.add(Method::kGet, "/livez", [](const http::Request&, http::Responder responder) {
    responder.send(fixed("application/health+json", R"({"status":"pass"})"));
  });
  router.add(Method::kGet, "/readyz",
             [&health = routes.health](const http::Request&, http::Responder responder) {
               responder.send(health.readiness());
             });
  router.add(Method::kGet, "/metrics",
             [&metrics = routes.metrics](const http::Request&, http::Responder responder) {
               responder.send(fixed("text/plain; version=0.0.4; charset=utf-8", metrics.expose()));
             });
}

}  // namespace

void add_routes(http::Router& router, const Routes& routes) {
  auto& in_flight = routes.in_flight;
  const auto on = [&](Method method, const char* path, auto& object, auto handle) {
    router.add(method, path, bound(in_flight, object, handle));
  };
  router.add_upload(Method::kPost, "/v1/images",
                    [&in_flight, &uploads = routes.uploads](const http::Request& request) {
                      return open_upload(uploads, request).map([&](auto receiver) {
                        return in_flight.watch(std::move(receiver));
                      });
                    });
  on(Method::kGet, "/v1/images", routes.status, &StatusRoutes::list);
  on(Method::kGet, "/v1/images/{id}", routes.status, &StatusRoutes::get);
  on(Method::kGet, "/v1/stats", routes.stats, &StatsRoutes::get);
  on(Method::kGet, "/v1/images/{id}/history", routes.history, &HistoryRoutes::get);
  on(Method::kGet, "/v1/events", routes.events, &EventRoutes::all);
  on(Method::kGet, "/v1/images/{id}/events", routes.events, &EventRoutes::image);
  on(Method::kDelete, "/v1/images/{id}", routes.commands, &CommandRoutes::remove);
  on(Method::kPost, "/v1/images/{id}/reprocess", routes.commands, &CommandRoutes::reprocess);
  on(Method::kGet, "/v1/images/{id}/thumbnail", routes.downloads, &DownloadRoutes::thumbnail);
  on(Method::kGet, "/v1/images/{id}/thumbnails/{variant}", routes.downloads,
     &DownloadRoutes::thumbnail);
  on(Method::kGet, "/v1/images/{id}/original", routes.downloads, &DownloadRoutes::original);
  add_system_routes(router, routes);
}

}  // namespace thumb::ingest
