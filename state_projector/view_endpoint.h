// The projector's answers for its view over HTTP, on an address of their own: for ingest on other
// machines.
#pragma once

#include <filesystem>
#include <memory>

#include "platform/http/server.h"
#include "platform/log.h"
#include "platform/metrics.h"
#include "state_projector/local_view_reader.h"

namespace thumb {

// Reads the folder as any other process would, so it follows every swap of views, and a rebuild
// or a restart of the fold does not concern it. Owns its threads.
class ViewEndpoint {
 public:
  // Serves at once; 503 until there is a view. Errors: those of http::Server::start.
  // REQUIRES: `log` and `metrics` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<ViewEndpoint>> start(
      const http::ServerOptions& server, const std::filesystem::path& view_dir, Log& log,
      Metrics& metrics);
  ~ViewEndpoint();
  ViewEndpoint(const ViewEndpoint&) = delete;
  ViewEndpoint& operator=(const ViewEndpoint&) = delete;

 private:
  ViewEndpoint(const std::filesystem::path& view_dir, Log& log);

  http::Router router_;
  std::unique_ptr<LocalViewReader> view_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace thumb
