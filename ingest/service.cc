// From the bottom up.
#include "ingest/service.h"

namespace thumb::ingest {

namespace {

constexpr std::chrono::milliseconds kDrainLimit{1'000};

}  // namespace

Service::Service(const ServiceOptions& options, const ServicePorts& ports)
    : options_(options),
      log_(ports.log),
      ids_(clock_),
      ends_(ports.admin, ports.names.of(Topic::kImageRequests), options.ask_timeout),
      events_(ports.producer, ports.names, clock_),
      workers_(options.workers, options.workers * options.queue_per_worker),
      freshness_(ends_, ports.view, {}, metrics_),
      lookup_(ports.view, freshness_, options.partitions, {}),
      flow_(events_, ids_, clock_, options.max_pixels, log_, metrics_),
      uploads_{ports.blobs, flow_, ids_, workers_, {}},
      status_(lookup_, ports.view),
      history_(lookup_, ports.view, ports.names),
      lag_(ports.admin, ports.lag_reader, ports.view, ports.names, options.partitions, clock_,
           metrics_),
      stats_(ports.view, lag_),
      downloads_(lookup_, ports.blobs, workers_),
      commands_(lookup_, ports.view, events_, ids_, clock_, log_),
      hub_(ports.view, clock_, metrics_),
      event_routes_(lookup_, ports.view, hub_),
      health_([this] { return ends_.end_of(0).map([](std::int64_t) {}); }, ports.view, {}) {
  add_routes(router_, {uploads_, status_, history_, stats_, downloads_, commands_, event_routes_,
                       health_, metrics_, in_flight_});
}

Result<void> Service::start() {
  auto server = http::Server::start(options_.server, router_, log_, metrics_);
  if (!server) return Failure(server.error());
  server_ = std::move(*server);
  log_.info("serving", {{"host", options_.server.host}, {"port", server_->port()}});
  return {};
}

bool Service::stop() {
  log_.info("stopping");
  server_->stop(options_.stop_grace);
  return in_flight_.wait_until_none(kDrainLimit);
}

}  // namespace thumb::ingest
