#include "state_projector/view_endpoint.h"

#include "state_projector/view_routes.h"

namespace thumb {

ViewEndpoint::ViewEndpoint(const std::filesystem::path& view_dir, Log& log)
    : view_(std::make_unique<LocalViewReader>(LocalViewOptions{.view_dir = view_dir}, log)) {
  add_view_routes(router_, *view_);
}

Result<std::unique_ptr<ViewEndpoint>> ViewEndpoint::start(const http::ServerOptions& server,
                                                          const std::filesystem::path& view_dir,
                                                          Log& log, Metrics& metrics) {
  std::unique_ptr<ViewEndpoint> endpoint(new ViewEndpoint(view_dir, log));
  auto started = http::Server::start(server, endpoint->router_, log, metrics);
  if (!started) return Failure(started.error());
  endpoint->server_ = std::move(*started);
  return endpoint;
}

// The reader first: whoever waits is told, and then answered.
ViewEndpoint::~ViewEndpoint() {
  const auto view = std::move(view_);
  if (server_ != nullptr) server_->stop(std::chrono::milliseconds(500));
}

}  // namespace thumb
