// inspect -> commit the blob -> image-private acknowledged -> image-uploaded acknowledged -> done.
#include "ingest/accept_flow.h"

#include <chrono>

#include "ingest/inspect.h"
#include "platform/failpoint.h"
#include "schemas/blob_keys.h"
#include "schemas/trace.h"

namespace thumb::ingest {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

prometheus::Histogram& stage(Metrics& metrics, const std::string& name) {
  return metrics.duration_seconds("thumb_ingest_stage_seconds",
                                  "Time in each stage of accepting a file", {{"stage", name}});
}

prometheus::Counter& outcome(Metrics& metrics, const std::string& name) {
  return metrics.counter("thumb_ingest_uploads_total", "Files sent in, by what became of them",
                         {{"outcome", name}});
}

ImageRow accepted_row(const ImageUploaded& event, const std::string& filename, LogPosition position,
                      TimeMs now) {
  ImageRow row{.id = event.image_id, .upload = {}, .requests = {}, .personal = {}, .deleted = {}};
  row.upload = ImageRow::Upload{.offset = position.offset,
                                .at = now,
                                .tenant = event.tenant,
                                .original = event.original,
                                .size = event.size,
                                .variants = event.variants,
                                .private_offset = event.private_offset};
  RequestRow request;
  request.id = event.request_id;
  request.asked = RequestRow::Asked{.offset = position.offset, .at = now, .actor = event.actor};
  row.requests.push_back(std::move(request));
  if (event.private_offset) {
    row.personal = ImageRow::Private{.offset = *event.private_offset, .filename = filename};
  }
  return row;
}

}  // namespace

AcceptMetrics::AcceptMetrics(Metrics& metrics)
    : inspect(stage(metrics, "inspect")),
      store(stage(metrics, "store")),
      publish(stage(metrics, "publish")),
      whole(metrics.duration_seconds("thumb_ingest_accept_seconds",
                                     "From the last byte of a file to its acknowledged event")),
      accepted_(outcome(metrics, "accepted")),
      refused_(outcome(metrics, "refused")),
      unavailable_(outcome(metrics, "unavailable")) {}

void AcceptMetrics::count(const Result<AcceptedImage>& result) {
  if (result) {
    accepted_.Increment();
  } else if (result.error().retry == Retry::kNever) {
    refused_.Increment();
  } else {
    unavailable_.Increment();
  }
}

struct AcceptFlow::Attempt {
  ImageUploaded upload;
  std::string filename;
  std::string traceparent;
  Done done;
  SteadyTime started;
  SteadyTime publishing;
};

AcceptFlow::AcceptFlow(EventLog& events, IdSource& ids, const Clock& clock,
                       std::uint64_t max_pixels, Log& log, Metrics& metrics)
    : events_(events),
      ids_(ids),
      clock_(clock),
      max_pixels_(max_pixels),
      log_(log),
      metrics_(metrics) {}

void AcceptFlow::accept(StagedFile file, std::string traceparent, Done done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->started = std::chrono::steady_clock::now();
  attempt->filename = std::move(file.filename);
  attempt->traceparent = std::move(traceparent);
  attempt->done = std::move(done);
  const auto stored = store(file, *attempt);
  file.blob.reset();  // before any answer: what was refused is gone by then
  if (!stored) return refuse(*attempt, stored.error());
  attempt->publishing = std::chrono::steady_clock::now();
  if (attempt->filename.empty()) return publish_upload(attempt);
  publish_personal(attempt);
}

Result<void> AcceptFlow::store(StagedFile& file, Attempt& attempt) {
  const auto bytes = file.blob->contents();
  if (!bytes) return Failure(bytes.error());
  const auto head = inspect_image(*bytes, max_pixels_);
  if (!head) return Failure(head.error());
  metrics_.inspect.Observe(seconds_since(attempt.started));

  auto& upload = attempt.upload;
  upload.image_id = ids_.new_image_id();
  upload.request_id = upload_request_id(upload.image_id);
  upload.original = BlobRef{.key = original_blob_key(upload.image_id, file.sha256),
                            .bytes = file.bytes,
                            .sha256 = file.sha256,
                            .content_type = std::string(content_type_of(head->format))};
  upload.size = head->size;
  upload.variants = default_variants();
  const auto storing = std::chrono::steady_clock::now();
  failpoint("ingest.before-blob");
  auto committed = file.blob->commit(upload.original.key);
  failpoint("ingest.after-blob");
  metrics_.store.Observe(seconds_since(storing));
  return committed;
}

// The personal record first: whoever sees the upload can then wait for it by its offset.
void AcceptFlow::publish_personal(const std::shared_ptr<Attempt>& attempt) {
  const auto& upload = attempt->upload;
  const ImagePrivate personal{
      .image_id = upload.image_id, .tenant = upload.tenant, .filename = attempt->filename};
  events_.publish(personal, attempt->traceparent, [this, attempt](Result<LogPosition> position) {
    if (!position) return finish(*attempt, position);
    attempt->upload.private_offset = position->offset;
    failpoint("ingest.after-personal");
    publish_upload(attempt);
  });
}

void AcceptFlow::publish_upload(const std::shared_ptr<Attempt>& attempt) {
  events_.publish(
      attempt->upload, attempt->traceparent,
      [this, attempt](const Result<LogPosition>& position) { finish(*attempt, position); });
}

void AcceptFlow::finish(Attempt& attempt, const Result<LogPosition>& upload) {
  metrics_.publish.Observe(seconds_since(attempt.publishing));
  const auto& event = attempt.upload;
  if (!upload) {
    log_.error("image not known to be accepted", upload.error());
    return refuse(attempt,
                  Error{.kind = ErrorKind::kUnavailable,
                        .retry = Retry::kBackoff,
                        .code = "not-known-to-be-accepted",
                        .message = "The image is not known to be accepted: the event log did "
                                   "not acknowledge it in time. Send it again later.",
                        .detail = upload.error().detail});
  }
  failpoint("ingest.after-produce");
  metrics_.whole.Observe(seconds_since(attempt.started));
  log_.info("image accepted", {{"image_id", event.image_id.str()},
                               {"trace_id", trace_id_of(attempt.traceparent)},
                               {"content_type", event.original.content_type},
                               {"bytes", event.original.bytes},
                               {"position", to_string(*upload)}});
  const Result<AcceptedImage> accepted =
      AcceptedImage{accepted_row(event, attempt.filename, *upload, clock_.now()), *upload};
  metrics_.count(accepted);
  attempt.done(accepted);
}

void AcceptFlow::refuse(Attempt& attempt, Error error) {
  const Result<AcceptedImage> refused = Failure(std::move(error));
  metrics_.count(refused);
  attempt.done(refused);
}

}  // namespace thumb::ingest
