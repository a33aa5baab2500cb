#include "processor/handler.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "platform/digest.h"
#include "platform/failpoint.h"
#include "schemas/blob_keys.h"
#include "schemas/trace.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;
using Stage = ProcessorMetrics::Stage;

constexpr std::string_view kActor = "service:processor";
constexpr std::string_view kSource = "/thumbstream/processor";

// Milliseconds since it was made or asked last.
class Stopwatch {
 public:
  milliseconds lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration_cast<milliseconds>(now - std::exchange(last_, now));
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// The base of an event that answers `request`.
template <typename E>
E answer_to(const EventBase& request) {
  E event;
  event.image_id = request.image_id;
  event.request_id = request.request_id;
  event.tenant = request.tenant;
  event.actor = kActor;
  return event;
}

Failure original_gone() {
  return fail(ErrorKind::kNotFound, "original-gone", "The original is no longer there.");
}

std::string next_hop(const std::optional<std::string>& parent, const RandomBytes& random) {
  if (parent) return child_traceparent(*parent, random_array<8>(random));
  return new_traceparent(random_array<24>(random));
}

}  // namespace

struct RequestHandler::Hop {
  const Work& work;
  const EventBase& request;
  const std::stop_token& revoked;
  TimeMs started_at;
  std::string traceparent;
  StageTimes stages;
};

RequestHandler::RequestHandler(Ports ports, TopicNames names, HandlerOptions options)
    : ports_(std::move(ports)), names_(std::move(names)), options_(options) {}

Result<Outcome> RequestHandler::handle(const Work& work, unsigned attempt,
                                       const std::stop_token& revoked) {
  const TimeMs now = ports_.clock.now();
  Hop hop{work, base_of(work), revoked, now, next_hop(work.decoded.traceparent, ports_.random), {}};
  hop.stages.waited = std::max(milliseconds(0), now - work.appended_at);
  try {
    return perform(hop, attempt);
  } catch (const std::bad_alloc&) {
    return fail_transient(ErrorKind::kUnavailable, "no-memory", "there is no memory at the moment");
  } catch (const std::exception& thrown) {
    const Error error{ErrorKind::kInternal, Retry::kNever, "internal",
                      "The request could not be handled.", thrown.what()};
    return failed_or_passing(hop, error);
  }
}

Result<Outcome> RequestHandler::perform(Hop& hop, unsigned attempt) {
  if (is_deletion(hop.work)) return remove_image(hop.work);
  if (attempt == 0) announce(hop);
  const Event& event = hop.work.decoded.event;
  if (const auto* uploaded = std::get_if<ImageUploaded>(&event)) {
    return make_thumbnails(hop, uploaded->original, uploaded->variants);
  }
  const auto& requested = std::get<ThumbnailRequested>(event);
  return make_thumbnails(hop, requested.original, requested.variants);
}

Result<Outcome> RequestHandler::remove_image(const Work& work) {
  const ImageId& image = base_of(work).image_id;
  if (auto removed = ports_.blobs.remove_all(image_blob_prefix(image)); !removed) {
    return Failure(removed.error());
  }
  failpoint("processor.after-blobs-removed");
  ports_.log.info("removed the blobs of a deleted image", {{"image_id", image.str()}});
  return Outcome{Ending::kDeleted, {}};
}

Result<Outcome> RequestHandler::make_thumbnails(Hop& hop, const BlobRef& original,
                                                std::span<const VariantSpec> variants) {
  Stopwatch watch;
  const auto bytes = fetch(original);
  if (!bytes) return failed_or_passing(hop, bytes.error());
  hop.stages.fetched = watch.lap();
  const auto made = ports_.maker.make(as_bytes(*bytes), variants, options_.limits);
  if (!made) return failed_or_passing(hop, made.error());
  failpoint("processor.after-decode");
  hop.stages.made = watch.lap();
  if (hop.revoked.stop_requested()) {
    return fail_transient(ErrorKind::kConflict, "revoked", "the partition is another's by now");
  }
  auto stored = store(hop.request.image_id, made->thumbnails);
  if (!stored) return failed_or_passing(hop, stored.error());
  if (auto kept = take_back_if_deleted(hop.request.image_id, original); !kept) {
    return failed_or_passing(hop, kept.error());
  }
  hop.stages.stored = watch.lap();

  auto event = answer_to<ThumbnailCompleted>(hop.request);
  event.request = hop.work.position;
  event.started_at = hop.started_at;
  event.stages = hop.stages;
  event.original_size = made->original_size;
  event.variants = std::move(*stored);
  return terminal(hop, Ending::kCompleted, event);
}

Result<std::string> RequestHandler::fetch(const BlobRef& original) {
  const auto blob = ports_.blobs.open(original.key);
  if (!blob && blob.error().kind == ErrorKind::kNotFound) return original_gone();
  if (!blob) return Failure(blob.error());
  auto bytes = read_all(**blob, options_.max_original_bytes);
  if (!bytes && bytes.error().kind == ErrorKind::kTooLarge) {
    return fail(ErrorKind::kTooLarge, "original-too-large", "The original has too many bytes.");
  }
  if (bytes && sha256_hex(as_bytes(*bytes)) != original.sha256) {
    return fail(ErrorKind::kCorrupt, "original-corrupt",
                "The stored original is not what was uploaded.");
  }
  return bytes;
}

Result<std::vector<Variant>> RequestHandler::store(const ImageId& image,
                                                   const std::vector<MadeThumbnail>& made) {
  std::vector<Variant> variants;
  for (const auto& one : made) {
    BlobRef blob{thumbnail_blob_key(image, one.name, one.sha256), one.bytes.size(), one.sha256,
                 std::string(content_type_of(one.format))};
    if (auto done = put(ports_.blobs, blob.key, as_bytes(one.bytes)); !done) {
      return Failure(done.error());
    }
    failpoint("processor.after-blob-write");
    variants.push_back({one.name, std::move(blob), one.size});
  }
  return variants;
}

// A processor that stood still past its session may go on behind a deletion that another member has
// carried out meanwhile, and would leave bytes that nobody removes. Deletions remove the original
// too; one that is yet to do so finds what was stored here.
Result<void> RequestHandler::take_back_if_deleted(const ImageId& image, const BlobRef& original) {
  const auto there = ports_.blobs.open(original.key);
  if (there) return {};
  if (there.error().kind != ErrorKind::kNotFound) return Failure(there.error());
  if (auto removed = ports_.blobs.remove_all(image_blob_prefix(image)); !removed) {
    return Failure(removed.error());
  }
  return original_gone();
}

// The image's own fault ends its request; all else is tried again.
Result<Outcome> RequestHandler::failed_or_passing(const Hop& hop, const Error& error) {
  if (error.retry != Retry::kNever) return Failure(error);
  ports_.log.info("a thumbnail can't be made", {{"image_id", hop.request.image_id.str()},
                                                {"trace_id", trace_id_of(hop.traceparent)},
                                                {"code", error.code},
                                                {"detail", error.detail}});
  auto event = answer_to<ThumbnailFailed>(hop.request);
  event.request = hop.work.position;
  event.started_at = hop.started_at;
  event.code = error.code;
  event.message = error.message;
  return terminal(hop, Ending::kFailed, event);
}

Outcome RequestHandler::terminal(const Hop& hop, Ending ending, const Event& event) {
  const EventContext context{ports_.clock.now(), std::string(kSource), hop.traceparent};
  ports_.metrics.observe(Stage::kWaited, hop.stages.waited);
  ports_.metrics.observe(Stage::kFetched, hop.stages.fetched);
  ports_.metrics.observe(Stage::kMade, hop.stages.made);
  ports_.metrics.observe(Stage::kStored, hop.stages.stored);
  ports_.log.info("worked off a request", {{"image_id", hop.request.image_id.str()},
                                           {"trace_id", trace_id_of(hop.traceparent)},
                                           {"request_id", hop.request.request_id.str()},
                                           {"outcome", to_string(ending)},
                                           {"partition", hop.work.position.partition},
                                           {"offset", hop.work.position.offset},
                                           {"made_ms", hop.stages.made.count()}});
  return {ending, {encode(event, context, names_)}};
}

// Fire and forget: a lost hint changes nothing but what a watcher sees in between.
void RequestHandler::announce(const Hop& hop) {
  auto event = answer_to<ThumbnailStarted>(hop.request);
  event.request = hop.work.position;
  const EventContext context{hop.started_at, std::string(kSource), hop.traceparent};
  OutRecord hint = encode(event, context, names_);
  hint.partition = hop.work.position.partition;  // where the answer will stand too
  ports_.hints.produce(std::move(hint),
                       [&lost = ports_.metrics.hints_lost](const Result<LogPosition>& written) {
                         if (!written) lost.Increment();
                       });
}

}  // namespace thumb
