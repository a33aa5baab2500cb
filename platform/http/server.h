// The HTTP server: Pistache's TCP listener, transport and reactors below, framing by Boost.Beast's
// incremental parser above. docs/adr/0002-http-on-pistache.md says why.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "platform/http/router.h"
#include "platform/log.h"
#include "platform/metrics.h"

namespace thumb::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  unsigned reactor_threads = 2;
  std::size_t max_connections = 2'000;  // past it a new connection is closed with 503
  std::size_t max_streams = 10'000;     // not counted as connections; past it 503
  std::size_t max_header_bytes = std::size_t{16} * 1024;  // past it 431
  std::uint64_t max_body_bytes = 32ULL << 20U;  // past it 413, before the body is read if declared
  std::uint64_t max_inflight_body_bytes = 1ULL << 30U;  // all bodies being received; past it 503
  std::chrono::milliseconds header_timeout{10'000};     // from first byte to complete head: 408
  std::chrono::milliseconds body_idle_timeout{10'000};  // between two pieces of a body: 408
  std::chrono::milliseconds write_timeout{20'000};      // without progress: the connection is cut
  std::chrono::milliseconds keep_alive_timeout{60'000};
};

// Owns its threads. REQUIRES: `router`, `log`, `metrics` outlive it.
class Server {
 public:
  // Binds and serves; "address-in-use" (kUnavailable) names host and port.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                             const Router& router, Log& log,
                                                             Metrics& metrics);
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  // Stops accepting, lets requests in hand finish until the deadline, then closes everything.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace thumb::http
