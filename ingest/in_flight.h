// Counts requests that were taken and not yet answered, so that a stop can wait for them: their
// callbacks use what main is about to take down.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "platform/http/message.h"

namespace thumb::ingest {

// Thread-safe. REQUIRES: outlives every responder that watch() made.
class InFlight {
 public:
  // A responder that counts as in flight until it is answered.
  [[nodiscard]] http::Responder watch(http::Responder responder);
  // The same for what a receiver's complete() is given.
  [[nodiscard]] std::unique_ptr<http::BodyReceiver> watch(
      std::unique_ptr<http::BodyReceiver> receiver);

  // False if some are still unanswered after `limit`.
  [[nodiscard]] bool wait_until_none(std::chrono::milliseconds limit);

 private:
  class Channel;
  class Receiver;
  void enter();
  void leave();

  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

}  // namespace thumb::ingest
