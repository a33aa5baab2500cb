// Probes and metrics; application/health+json as the health-check draft has it.
#include "platform/http/admin_routes.h"

namespace thumb::http {
namespace {

Response health(bool pass) {
  Response response;
  response.status = pass ? 200 : 503;
  response.set("Content-Type", "application/health+json").set("Cache-Control", "no-store");
  response.body = std::string(pass ? R"({"status":"pass"})" : R"({"status":"fail"})");
  return response;
}

}  // namespace

void add_admin_routes(Router& router, const Metrics& metrics, std::function<bool()> ready) {
  router.add(Method::kGet, "/livez",
             [](const Request&, Responder responder) { responder.send(health(true)); });
  router.add(Method::kGet, "/readyz",
             [ready = std::move(ready)](const Request&, Responder responder) {
               responder.send(health(ready()));
             });
  router.add(Method::kGet, "/metrics", [&metrics](const Request&, Responder responder) {
    Response response;
    response.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        .set("Cache-Control", "no-store");
    response.body = metrics.expose();
    responder.send(std::move(response));
  });
}

Result<std::unique_ptr<Server>> serve_admin(std::int64_t port, const Router& router, Log& log,
                                            Metrics& metrics) {
  if (port == 0) return nullptr;
  ServerOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.reactor_threads = 1;
  return Server::start(options, router, log, metrics);
}

}  // namespace thumb::http
