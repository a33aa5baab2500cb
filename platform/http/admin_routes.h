// The routes that operators and orchestrators ask of every service.
#pragma once

#include <functional>

#include "platform/http/router.h"
#include "platform/metrics.h"

namespace thumb::http {

// GET /livez (200 while the process answers), /readyz (200 or 503 by `ready`), /metrics.
// `ready` is called on reactor threads and must not block. REQUIRES: `metrics` outlives the server.
void add_admin_routes(Router& router, const Metrics& metrics, std::function<bool()> ready);

}  // namespace thumb::http
