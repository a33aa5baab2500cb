// What a running projector answers on its admin port: how its views stand, and wishes concerning
// them.
//
//   GET  /admin/views     the views, as `state_projector views --json`
//   GET  /admin/digest    the serving view's digests with their positions; reads all rows
//   GET  /admin/rebuild   how far the newest build has come
//   POST /admin/rebuild   begin one, or go on with a half-built one; ?from=checkpoint
//   POST /admin/rollback, /admin/discard, /admin/checkpoint
//
// A POST is answered 202 with the build's progress once the projector has taken it up, or with a
// problem+json: 409 build-in-progress, nothing-to-go-back-to; 503 not-ready, busy.
#pragma once

#include <stop_token>

#include "platform/http/router.h"
#include "platform/worker_pool.h"
#include "state_projector/commands.h"
#include "state_projector/projector.h"

namespace thumb {

// For one projector, as long as its server runs. All references must outlive it.
class ProjectorAdmin {
 public:
  ProjectorAdmin(const ViewFolder& folder, ViewOpeners openers, Projector& projector)
      : folder_(folder), openers_(std::move(openers)), projector_(projector) {}
  // What is being read is given up: digests of large views take longer than a stop may.
  ~ProjectorAdmin() { stop_.request_stop(); }
  ProjectorAdmin(const ProjectorAdmin&) = delete;
  ProjectorAdmin& operator=(const ProjectorAdmin&) = delete;

  void add_routes(http::Router& router);

 private:
  using Question = Result<std::string> (ProjectorAdmin::*)() const;
  // Answers on another thread: reading a view takes its time.
  void answer_later(Question question, http::Responder responder);
  [[nodiscard]] Result<std::string> list() const;
  [[nodiscard]] Result<std::string> digest() const;
  void put(Wish wish, const http::Request& request, http::Responder responder);

  const ViewFolder& folder_;
  const ViewOpeners openers_;
  Projector& projector_;
  std::stop_source stop_;
  WorkerPool readers_{1, 8};  // last: what it runs uses all of the above
};

}  // namespace thumb
