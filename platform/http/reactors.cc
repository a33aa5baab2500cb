#include "platform/http/reactors.h"

#include <pistache/reactor.h>

#include <utility>
#include <vector>

#include "platform/http/connection_count.h"
#include "platform/http/reactor_transport.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;

// After the grace period connections are closed by force; what a handler may still block.
constexpr milliseconds kForcedStop{1'000};

class PistacheReactors final : public Reactors {
 public:
  explicit PistacheReactors(const ReactorsContext& context)
      : count_(context.metrics.connections()) {
    reactor_->init(Pistache::Aio::AsyncContext(context.options.reactor_threads, "http"));
    const auto key = reactor_->addHandler(std::make_shared<ReactorTransport>(context, count_));
    for (const auto& handler : reactor_->handlers(key)) {
      transports_.push_back(static_cast<ReactorTransport*>(handler.get()));
    }
  }

  void run(UniqueFd listening) {
    transports_.front()->accept_from(std::move(listening), transports_);
    reactor_->run();
  }

  void stop(milliseconds grace) override {
    give_order(ReactorTransport::Order::kDrain);
    if (!count_.wait_for_none(grace)) {
      give_order(ReactorTransport::Order::kCloseAll);
      // A handler that blocks its thread is not waited for longer than this.
      static_cast<void>(count_.wait_for_none(kForcedStop));
    }
    reactor_->shutdown();
    transports_.clear();
    reactor_.reset();  // joins
  }

 private:
  void give_order(ReactorTransport::Order order) {
    for (ReactorTransport* transport : transports_) transport->give_order(order);
  }

  ConnectionCount count_;
  std::shared_ptr<Pistache::Aio::Reactor> reactor_ = Pistache::Aio::Reactor::create();
  std::vector<ReactorTransport*> transports_;  // owned by the reactor
};

}  // namespace

Result<std::unique_ptr<Reactors>> Reactors::start(const ReactorsContext& context,
                                                  UniqueFd listening) {
  try {
    auto reactors = std::make_unique<PistacheReactors>(context);
    reactors->run(std::move(listening));
    return std::unique_ptr<Reactors>(std::move(reactors));
  } catch (const std::exception& error) {
    return fail(ErrorKind::kUnavailable, "cannot-serve", "The HTTP server can't start.",
                error.what());
  }
}

}  // namespace thumb::http
