#include "platform/http/server.h"

#include <sys/resource.h>

#include <mutex>

#include "platform/http/body_budget.h"
#include "platform/http/http_metrics.h"
#include "platform/http/listener.h"
#include "platform/http/reactors.h"

namespace thumb::http {
namespace {

// What the process needs besides its connections: files, Kafka, the view.
constexpr rlim_t kOtherDescriptors = 512;

// Debian starts processes with a soft limit of 1,024 descriptors, less than max_connections asks
// for; the hard limit is there to be used.
void raise_descriptor_limit(std::size_t connections, Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections + kOtherDescriptors;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log.warn("The limit on open files is too low for the HTTP connections allowed",
             {{"limit", limit.rlim_cur}, {"wanted", wanted}});
  }
}

class PistacheServer final : public Server {
 public:
  PistacheServer(const ServerOptions& options, const Router& router, Log& log, Metrics& metrics)
      : options_(options),
        metrics_(metrics),
        budget_(options_.max_inflight_body_bytes, metrics_.inflight_body_bytes()),
        streams_(options_.max_streams, metrics_.streams(), metrics_.streams_dropped()),
        context_{options_, router, log, metrics_, budget_, streams_} {}
  ~PistacheServer() override { stop(std::chrono::milliseconds(0)); }

  Result<void> open() {
    auto listener = listen_on(options_.host, options_.port);
    if (!listener) return Failure(listener.error());
    port_ = listener->port;
    auto reactors = Reactors::start(context_, std::move(listener->socket));
    if (!reactors) return Failure(reactors.error());
    reactors_ = std::move(*reactors);
    return {};
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  void stop(std::chrono::milliseconds grace) override {
    const std::lock_guard lock(mutex_);
    if (!reactors_) return;
    reactors_->stop(grace);
    reactors_.reset();
  }

 private:
  const ServerOptions options_;
  HttpMetrics metrics_;
  BodyBudget budget_;
  StreamSlots streams_;
  const ReactorsContext context_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::unique_ptr<Reactors> reactors_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const Router& router,
                                              Log& log, Metrics& metrics) {
  raise_descriptor_limit(options.max_connections + options.max_streams, log);
  auto server = std::make_unique<PistacheServer>(options, router, log, metrics);
  if (auto opened = server->open(); !opened) return Failure(opened.error());
  return server;
}

}  // namespace thumb::http
