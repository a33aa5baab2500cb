// The bytes: GET /v1/images/{id}/thumbnail, /thumbnails/{variant} and /original, with conditional
// and range requests.
#pragma once

#include <optional>
#include <string>

#include "ingest/lookup.h"
#include "platform/blob_store.h"
#include "platform/http/message.h"
#include "platform/worker_pool.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructor outlives every request.
class DownloadRoutes {
 public:
  DownloadRoutes(ImageLookup& lookup, BlobStore& blobs, WorkerPool& workers)
      : lookup_(lookup), blobs_(blobs), workers_(workers) {}

  // 200, 206 or 304 from the newest completed request; 202 with the resource and Retry-After while
  // there is none yet; 409 with the failure's code if there will be none; 400, 404, 410, 412, 416,
  // 503. The route's {variant} names one (404 if it was not made); without it, the first.
  void thumbnail(const http::Request& request, http::Responder responder);
  // 200, 206 or 304 from the moment of acceptance.
  void original(const http::Request& request, http::Responder responder);

 private:
  struct Download;
  struct Wanted {
    BlobRef blob;
    std::string filename;
  };
  using Choose = Result<Wanted> (*)(const ImageRow& row, const std::string& variant);

  void serve(const http::Request& request, http::Responder responder, Choose choose);
  void deliver(const std::shared_ptr<Download>& download, Wanted wanted);
  void open_and_send(Download& download, const Wanted& wanted);

  static Result<Wanted> choose_thumbnail(const ImageRow& row, const std::string& variant);
  static Result<Wanted> choose_original(const ImageRow& row, const std::string& variant);

  ImageLookup& lookup_;
  BlobStore& blobs_;
  WorkerPool& workers_;
};

}  // namespace thumb::ingest
