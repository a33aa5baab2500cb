// Stands between a handler and the server's own channel.
#include "ingest/in_flight.h"

namespace thumb::ingest {

class InFlight::Channel final : public http::Responder::Channel {
 public:
  Channel(InFlight& owner, http::Responder inner) : owner_(owner), inner_(std::move(inner)) {
    owner_.enter();
  }
  ~Channel() override { owner_.leave(); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(http::Response response) override { inner_.send(std::move(response)); }

 private:
  InFlight& owner_;
  http::Responder inner_;
};

class InFlight::Receiver final : public http::BodyReceiver {
 public:
  Receiver(InFlight& owner, std::unique_ptr<http::BodyReceiver> inner)
      : owner_(owner), inner_(std::move(inner)) {}

  Result<void> write(ByteView bytes) override { return inner_->write(bytes); }
  void complete(http::Request request, http::Responder responder) override {
    inner_->complete(std::move(request), owner_.watch(std::move(responder)));
  }

 private:
  InFlight& owner_;
  std::unique_ptr<http::BodyReceiver> inner_;
};

http::Responder InFlight::watch(http::Responder responder) {
  return http::Responder(std::make_shared<Channel>(*this, std::move(responder)));
}

std::unique_ptr<http::BodyReceiver> InFlight::watch(std::unique_ptr<http::BodyReceiver> receiver) {
  return std::make_unique<Receiver>(*this, std::move(receiver));
}

bool InFlight::wait_until_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [this] { return count_ == 0; });
}

void InFlight::enter() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void InFlight::leave() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

}  // namespace thumb::ingest
