// The table of this service's routes.
#pragma once

#include "ingest/commands.h"
#include "ingest/downloads.h"
#include "ingest/events.h"
#include "ingest/health.h"
#include "ingest/history.h"
#include "ingest/in_flight.h"
#include "ingest/stats.h"
#include "ingest/status.h"
#include "ingest/uploads.h"
#include "platform/http/router.h"
#include "platform/metrics.h"

namespace thumb::ingest {

struct Routes {
  UploadContext& uploads;
  StatusRoutes& status;
  HistoryRoutes& history;
  StatsRoutes& stats;
  DownloadRoutes& downloads;
  CommandRoutes& commands;
  EventRoutes& events;
  Health& health;
  const Metrics& metrics;
  InFlight& in_flight;
};

// REQUIRES: everything in `routes` outlives the server that uses the router.
void add_routes(http::Router& router, const Routes& routes);

}  // namespace thumb::ingest
