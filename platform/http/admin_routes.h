// The routes that operators and orchestrators ask of every service.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "platform/http/router.h"
#include "platform/http/server.h"
#include "platform/log.h"
#include "platform/metrics.h"

namespace thumb::http {

// GET /livez (200 while the process answers), /readyz (200 or 503 by `ready`), /metrics.
// `ready` is called on reactor threads and must not block. REQUIRES: `metrics` outlives the server.
void add_admin_routes(Router& router, const Metrics& metrics, std::function<bool()> ready);

// A small server for `router` on loopback, for services that have no other; none if `port` is 0.
// Errors: those of Server::start.
[[nodiscard]] Result<std::unique_ptr<Server>> serve_admin(std::int64_t port, const Router& router,
                                                          Log& log, Metrics& metrics);

}  // namespace thumb::http
