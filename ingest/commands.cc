// Look up, publish, answer when acknowledged.
#include "ingest/commands.h"

#include "ingest/answers.h"
#include "ingest/resource_json.h"
#include "platform/failpoint.h"
#include "platform/http/problem.h"
#include "schemas/trace.h"

namespace thumb::ingest {

namespace {

constexpr auto kShowDeletionWithin = std::chrono::milliseconds(2'000);

// The event that follows on a row, in the row's tenancy.
template <typename T>
T event_about(const ImageRow& row, RequestId request_id) {
  T event;
  event.image_id = row.id;
  event.request_id = request_id;
  event.tenant = row.upload->tenant;
  return event;
}

}  // namespace

struct CommandRoutes::Command {
  ImageRow row;  // as it was found
  std::string traceparent;
  http::Responder responder;
};

void CommandRoutes::remove(const http::Request& request, http::Responder responder) {
  start(request, std::move(responder), &CommandRoutes::erase_personal);
}

void CommandRoutes::reprocess(const http::Request& request, http::Responder responder) {
  start(request, std::move(responder), &CommandRoutes::publish_request);
}

void CommandRoutes::start(const http::Request& request, http::Responder responder, Act act) {
  const auto query = parse_image_query(request);
  if (!query) return responder.send(http::problem(query.error()));
  auto command = std::make_shared<Command>(
      Command{{}, ids_.traceparent(request.header("traceparent")), std::move(responder)});
  lookup_.find(*query, [this, command, act](ImageLookup::Found found) {
    if (auto refused = refusal(found)) return command->responder.send(std::move(*refused));
    command->row = std::move(**found);
    (this->*act)(command);
  });
}

bool CommandRoutes::acknowledged(Command& command, const Result<LogPosition>& position) {
  if (position) return true;
  log_.error("command not acknowledged", position.error());
  command.responder.send(http::problem(
      Error{.kind = ErrorKind::kUnavailable,
            .retry = Retry::kBackoff,
            .code = "not-known-to-be-accepted",
            .message = "The request is not known to be accepted: the event log did not acknowledge "
                       "it in time. Send it again later.",
            .detail = {}}));
  return false;
}

void CommandRoutes::erase_personal(const std::shared_ptr<Command>& command) {
  const auto& row = command->row;
  if (!row.personal && !row.upload->private_offset) return publish_deletion(command);
  events_.publish(ImagePrivateErased{row.id}, command->traceparent,
                  [this, command](const Result<LogPosition>& position) {
                    if (!acknowledged(*command, position)) return;
                    failpoint("ingest.after-personal-erased");
                    publish_deletion(command);
                  });
}

void CommandRoutes::publish_deletion(const std::shared_ptr<Command>& command) {
  // An id of its own: were it the upload's, the deletion would look like a repeat of the upload.
  const auto event = event_about<ImageDeleted>(command->row, ids_.new_request_id());
  command->row.deleted = ImageRow::Deletion{
      .offset = 0, .at = clock_.now(), .tenant = event.tenant, .by = event.actor};
  events_.publish(event, command->traceparent,
                  [this, command](const Result<LogPosition>& position) {
                    if (!acknowledged(*command, position)) return;
                    failpoint("ingest.after-deletion");
                    log_.info("image deleted", {{"image_id", command->row.id.str()},
                                                {"trace_id", trace_id_of(command->traceparent)},
                                                {"position", to_string(*position)}});
                    show_deletion(command, *position);
                  });
}

void CommandRoutes::show_deletion(const std::shared_ptr<Command>& command, LogPosition position) {
  command->row.deleted->offset = position.offset;
  view_.wait_for(Topic::kImageRequests, position.partition, position.offset + 1,
                 std::chrono::steady_clock::now() + kShowDeletionWithin,
                 [this, command, position](bool reached) {
                   // The view knows the log's own time of the deletion; without it ours stands in.
                   if (reached) {
                     auto row = view_.get(command->row.id);
                     if (row && *row && (*row)->deleted) command->row = std::move(**row);
                   }
                   auto answer = json_answer(200, deleted_json(command->row));
                   answer.set("Position", to_string(position));
                   command->responder.send(std::move(answer));
                 });
}

void CommandRoutes::publish_request(const std::shared_ptr<Command>& command) {
  auto& row = command->row;
  auto event = event_about<ThumbnailRequested>(row, ids_.new_request_id());
  event.original = row.upload->original;
  event.variants = row.upload->variants;
  RequestRow asked;
  asked.id = event.request_id;
  asked.asked = RequestRow::Asked{.offset = 0, .at = clock_.now(), .actor = event.actor};
  events_.publish(
      event, command->traceparent,
      [this, command, asked = std::move(asked)](const Result<LogPosition>& position) {
        if (!acknowledged(*command, position)) return;
        failpoint("ingest.after-request");
        auto& shown = command->row;
        shown.requests.push_back(asked);
        shown.requests.back().asked->offset = position->offset;
        auto answer = json_answer(202, resource_json(shown, position->partition));
        answer.set("Location", image_path(shown.id)).set("Position", to_string(*position));
        log_.info("image reprocessed", {{"image_id", shown.id.str()},
                                        {"trace_id", trace_id_of(command->traceparent)},
                                        {"position", to_string(*position)}});
        command->responder.send(std::move(answer));
      });
}

}  // namespace thumb::ingest
