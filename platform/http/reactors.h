// The reactor threads. Pistache, which nothing but this and reactor_transport knows, has an
// Aio::Reactor that runs the threads and their epolls, and a Tcp::Transport that hands accepted
// peers to them and lets go of them.
// docs/adr/0002-http-on-pistache.md says what of Pistache is not used, and why.
#pragma once

#include <chrono>
#include <memory>

#include "platform/file_io.h"
#include "platform/http/body_budget.h"
#include "platform/http/http_metrics.h"
#include "platform/http/router.h"
#include "platform/http/server.h"
#include "platform/http/stream_slots.h"

namespace thumb::http {

// All outlive the reactors.
struct ReactorsContext {
  const ServerOptions& options;
  const Router& router;
  Log& log;
  HttpMetrics& metrics;
  BodyBudget& budget;
  StreamSlots& streams;
};

class Reactors {
 public:
  // Starts the threads; `listening` is served at once.
  // kUnavailable/"cannot-serve" if the system gives no threads or descriptors.
  [[nodiscard]] static Result<std::unique_ptr<Reactors>> start(const ReactorsContext& context,
                                                               UniqueFd listening);
  virtual ~Reactors() = default;

  // Closes the listening socket and the idle connections; waits until the others have finished,
  // at most `grace`; then closes what is left and joins the threads. Called once.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace thumb::http
