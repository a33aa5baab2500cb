// What is asked of an image that exists: DELETE /v1/images/{id} and POST /v1/images/{id}/reprocess.
#pragma once

#include <chrono>
#include <memory>

#include "ingest/lookup.h"
#include "ingest/ports.h"
#include "platform/clock.h"
#include "platform/http/message.h"
#include "platform/log.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructor outlives every request.
class CommandRoutes {
 public:
  CommandRoutes(ImageLookup& lookup, ViewReader& view, EventLog& events, IdSource& ids,
                const Clock& clock, Log& log)
      : lookup_(lookup), view_(view), events_(events), ids_(ids), clock_(clock), log_(log) {}

  // 200 with what is left of the record, and Position. The personal fields are erased before the
  // deletion is published: were it the other way round, a failure in between would answer 503, the
  // repeated DELETE 410, and the file name would stay for good. Repeating is harmless.
  // Waits a moment for the view, so that a GET on this instance says 410 at once.
  void remove(const http::Request& request, http::Responder responder);

  // 202 with the resource of the new generation, Location and Position. Not idempotent.
  void reprocess(const http::Request& request, http::Responder responder);

 private:
  struct Command;
  using Act = void (CommandRoutes::*)(const std::shared_ptr<Command>&);

  void start(const http::Request& request, http::Responder responder, Act act);
  void erase_personal(const std::shared_ptr<Command>& command);
  void publish_deletion(const std::shared_ptr<Command>& command);
  void show_deletion(const std::shared_ptr<Command>& command, LogPosition position);
  void publish_request(const std::shared_ptr<Command>& command);
  // False after answering 503.
  [[nodiscard]] bool acknowledged(Command& command, const Result<LogPosition>& position);

  ImageLookup& lookup_;
  ViewReader& view_;
  EventLog& events_;
  IdSource& ids_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace thumb::ingest
