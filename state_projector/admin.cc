#include "state_projector/admin.h"

#include <memory>
#include <utility>

#include "platform/http/problem.h"
#include "state_projector/stoppable_reader.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_list.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

http::Response json(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

// Functions that are kept must be copyable, a promise of one answer is not.
std::shared_ptr<http::Responder> shared(http::Responder responder) {
  return std::make_shared<http::Responder>(std::move(responder));
}

}  // namespace

void ProjectorAdmin::add_routes(http::Router& router) {
  using http::Method;
  using http::Request;
  using http::Responder;
  router.add(Method::kGet, "/admin/views", [this](const Request&, Responder responder) {
    answer_later(&ProjectorAdmin::list, std::move(responder));
  });
  router.add(Method::kGet, "/admin/digest", [this](const Request&, Responder responder) {
    answer_later(&ProjectorAdmin::digest, std::move(responder));
  });
  router.add(Method::kGet, "/admin/rebuild", [this](const Request&, Responder responder) {
    responder.send(json(200, build_json(projector_.progress().report())));
  });
  router.add(Method::kPost, "/admin/rebuild", [this](const Request& request, Responder responder) {
    const auto from = request.query_value("from");
    const bool from_checkpoint = from == "checkpoint";
    if (from && !from_checkpoint) {  // a slip of the pen must not begin hours of work
      return responder.send(http::problem(400, "bad-parameter", "from is not 'checkpoint'"));
    }
    put(from_checkpoint ? Wish::kRebuildFromCheckpoint : Wish::kRebuild, request,
        std::move(responder));
  });
  for (const auto& [path, wish] :
       {std::pair("/admin/rollback", Wish::kRollBack), std::pair("/admin/discard", Wish::kDiscard),
        std::pair("/admin/checkpoint", Wish::kCheckpoint)}) {
    router.add(Method::kPost, path,
               [this, wish = wish](const Request& request, Responder responder) {
                 put(wish, request, std::move(responder));
               });
  }
}

void ProjectorAdmin::put(Wish wish, const http::Request& request, http::Responder responder) {
  // A page in a browser on this machine could send one; no operator's tool names an origin.
  if (request.header("Origin")) {
    responder.send(http::problem(403, "origin-refused", "not for pages in a browser"));
    return;
  }
  projector_.wishes().put(
      wish, [this, promise = shared(std::move(responder))](const Result<void>& granted) {
        promise->send(granted ? json(202, build_json(projector_.progress().report()))
                              : http::problem(granted.error()));
      });
}

void ProjectorAdmin::answer_later(Question question, http::Responder responder) {
  const auto promise = shared(std::move(responder));
  WorkerPool::Job job = [this, question, promise] {
    const auto answer = (this->*question)();
    promise->send(answer ? json(200, *answer) : http::problem(answer.error()));
  };
  if (!readers_.try_submit(job)) {
    promise->send(http::problem(503, "busy", "others are being answered"));
  }
}

Result<std::string> ProjectorAdmin::list() const {
  return list_views(folder_, openers_.follow, false).map(views_json);
}

Result<std::string> ProjectorAdmin::digest() const {
  const auto view = open_serving_view(folder_, openers_);
  if (!view) return Failure(view.error());
  const auto meta = read_meta(**view);
  if (!meta) return Failure(meta.error());
  return digest_of(StoppableReader(**view, stop_.get_token())).map([&](const ViewDigest& found) {
    return digest_json(meta->view_id, found);
  });
}

}  // namespace thumb
