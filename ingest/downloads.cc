// Look up the row, choose the blob, decide by the preconditions, and only then open the blob: on a
// worker, since a store may be slow.
#include "ingest/downloads.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ingest/answers.h"
#include "ingest/conditional.h"
#include "ingest/filename.h"
#include "ingest/resource_json.h"
#include "platform/http/problem.h"
#include "schemas/image_format.h"

namespace thumb::ingest {

namespace {

// Not an error to be shown: the answer is 202.
constexpr std::string_view kNotYet = "not-yet";

std::string extension_for(const BlobRef& blob) {
  const auto format = image_format_of(blob.content_type);
  return std::string(format ? extension_of(*format) : "bin");
}

std::string filename_of(const ImageRow& row) {
  return row.personal ? row.personal->filename : std::string();
}

// The headers that outlive the request; the views in Preconditions need an owner.
struct KeptHeaders {
  std::optional<std::string> if_match, if_none_match, range, if_range;

  explicit KeptHeaders(const http::Request& request) {
    const auto keep = [&](std::string_view name) -> std::optional<std::string> {
      const auto value = request.header(name);
      return value ? std::optional<std::string>(*value) : std::nullopt;
    };
    if_match = keep("If-Match");
    if_none_match = keep("If-None-Match");
    if (request.method != http::Method::kGet) return;  // ranges are defined for GET only
    range = keep("Range");
    if_range = keep("If-Range");
  }

  [[nodiscard]] Preconditions view() const { return {if_match, if_none_match, range, if_range}; }
};

void set_representation(http::Response& response, const BlobRef& blob) {
  response.set("ETag", strong_etag(blob.sha256))
      .set("Cache-Control", "no-cache")
      .set("Accept-Ranges", "bytes");
}

void set_content(http::Response& response, const BlobRef& blob, const std::string& filename) {
  response.set("Content-Type", blob.content_type)
      .set("Content-Disposition", inline_disposition(filename))
      .set("X-Content-Type-Options", "nosniff");
  if (auto digest = repr_digest(blob.sha256); !digest.empty()) {
    response.set("Repr-Digest", std::move(digest));
  }
}

http::Response blob_gone() {
  return http::problem(410, "bytes-gone", "These bytes are no longer stored.");
}

}  // namespace

struct DownloadRoutes::Download {
  Download(const http::Request& request, http::Responder answer)
      : headers(request), responder(std::move(answer)) {}

  KeptHeaders headers;
  std::string variant;
  http::Responder responder;
  DeliveryPlan plan;
};

void DownloadRoutes::thumbnail(const http::Request& request, http::Responder responder) {
  serve(request, std::move(responder), choose_thumbnail);
}

void DownloadRoutes::original(const http::Request& request, http::Responder responder) {
  serve(request, std::move(responder), choose_original);
}

void DownloadRoutes::serve(const http::Request& request, http::Responder responder, Choose choose) {
  const auto query = parse_image_query(request);
  if (!query) return responder.send(http::problem(query.error()));
  auto download = std::make_shared<Download>(request, std::move(responder));
  if (const auto named = request.params.find("variant"); named != request.params.end()) {
    download->variant = named->second;
  }
  lookup_.find(*query, [this, download, choose](const ImageLookup::Found& found) {
    if (auto refused = refusal(found)) return download->responder.send(std::move(*refused));
    const auto& row = **found;
    auto wanted = choose(row, download->variant);
    if (wanted) return deliver(download, std::move(*wanted));
    if (wanted.error().code != kNotYet) {
      return download->responder.send(http::problem(wanted.error()));
    }
    auto pending = json_answer(202, resource_json(row, lookup_.partition_of(row.id)));
    pending.set("Retry-After", "1");
    download->responder.send(std::move(pending));
  });
}

Result<DownloadRoutes::Wanted> DownloadRoutes::choose_thumbnail(const ImageRow& row,
                                                                const std::string& variant) {
  const auto* completed = row.newest_completed();
  if (completed == nullptr) {
    if (row.state() != ImageState::kFailed) return fail(ErrorKind::kNotFound, kNotYet, "");
    const auto& failed = *row.newest()->failed;
    return fail(ErrorKind::kConflict, failed.code, failed.message);
  }
  const auto& made = completed->completed->variants;
  const auto it = variant.empty() ? made.begin()
                                  : std::find_if(made.begin(), made.end(),
                                                 [&](const auto& v) { return v.name == variant; });
  if (it == made.end()) {
    return fail(ErrorKind::kNotFound, "unknown-variant", "The image has no variant of that name.");
  }
  const auto label = variant.empty() ? std::string_view("thumbnail") : std::string_view(it->name);
  return Wanted{it->blob,
                download_name(filename_of(row), row.id.str(), label, extension_for(it->blob))};
}

Result<DownloadRoutes::Wanted> DownloadRoutes::choose_original(const ImageRow& row,
                                                               const std::string&) {
  const auto& blob = row.upload->original;
  auto filename = filename_of(row);
  if (filename.empty()) filename = row.id.str() + "." + extension_for(blob);
  return Wanted{blob, std::move(filename)};
}

void DownloadRoutes::deliver(const std::shared_ptr<Download>& download, Wanted wanted) {
  download->plan =
      plan_delivery(download->headers.view(), strong_etag(wanted.blob.sha256), wanted.blob.bytes);
  switch (download->plan.delivery) {
    case Delivery::kNotModified: {
      http::Response response;
      response.status = 304;
      set_representation(response, wanted.blob);
      return download->responder.send(std::move(response));
    }
    case Delivery::kPreconditionFailed:
      return download->responder.send(
          http::problem(412, "precondition-failed", "If-Match does not name these bytes."));
    case Delivery::kUnsatisfiable: {
      auto response = http::problem(416, "range-not-satisfiable",
                                    "The range lies past the end of these bytes.");
      response.set("Content-Range", "bytes */" + std::to_string(wanted.blob.bytes));
      return download->responder.send(std::move(response));
    }
    case Delivery::kWhole:
    case Delivery::kPart:
      break;
  }
  WorkerPool::Job job = [this, download, wanted = std::move(wanted)] {
    open_and_send(*download, wanted);
  };
  if (!workers_.try_submit(job)) download->responder.send(http::problem(workers_busy()));
}

void DownloadRoutes::open_and_send(Download& download, const Wanted& wanted) {
  auto blob = blobs_.open(wanted.blob.key);
  if (!blob) {
    const bool gone = blob.error().kind == ErrorKind::kNotFound;
    return download.responder.send(gone ? blob_gone() : http::problem(blob.error()));
  }
  if ((*blob)->size_bytes() != wanted.blob.bytes) {
    return download.responder.send(http::problem(
        500, "stored-bytes-damaged", "The stored bytes are not as many as they should be."));
  }
  const bool part = download.plan.delivery == Delivery::kPart;
  const auto range = download.plan.range;
  http::Response response;
  response.status = part ? 206 : 200;
  response.headers.reserve(8);
  set_representation(response, wanted.blob);
  set_content(response, wanted.blob, wanted.filename);
  if (part) response.set("Content-Range", content_range(range, wanted.blob.bytes));
  response.body = http::BlobBody{std::move(*blob), range.offset, range.length};
  download.responder.send(std::move(response));
}

}  // namespace thumb::ingest
