// The questions of view_reader.h over HTTP, for services on other machines; view_wire.h is the
// protocol, remote_view_reader.h the other end.
#pragma once

#include "platform/http/router.h"
#include "state_projector/view_reader.h"

namespace thumb {

// Adds GET /view/v2/... Each answer is given by `view`, on the reactor's thread, but for waits.
// REQUIRES: `view` outlives the server, and is destroyed after its last answer.
void add_view_routes(http::Router& router, ViewReader& view);

}  // namespace thumb
