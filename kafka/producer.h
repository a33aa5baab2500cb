// Port: writes records durably, one at a time.
//
// Idempotent, acks=all: within one producer's life a record is in the log at most once, in order
// per key. A record whose delivery failed or timed out may still be in the log.
#pragma once

#include <chrono>
#include <functional>

#include "kafka/types.h"

namespace thumb::kafka {

// Thread-safe.
class Producer {
 public:
  using Done = std::function<void(Result<LogPosition>)>;

  // Delivers for up to 3 s more, then reports what is left as kUnavailable: every `done` has been
  // called when this returns.
  virtual ~Producer() = default;

  // Called back exactly once, on this producer's own thread, when all in-sync replicas have the
  // record or the delivery time-out passed; `done` must be short and must not throw.
  // Errors: kTimeout/"produce-timeout" and kUnavailable/"produce-failed" (back off; the record may
  // be in the log), kUnavailable/"produce-queue-full" (back off; it is not),
  // kTooLarge/"record-too-large".
  virtual void produce(OutRecord record, Done done) = 0;

  // The same, waiting for the outcome.
  [[nodiscard]] Result<LogPosition> produce_and_wait(OutRecord record);
};

}  // namespace thumb::kafka
