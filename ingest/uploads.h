// POST /v1/images: the body is an image, or a form of images.
#pragma once

#include <memory>

#include "ingest/accept_flow.h"
#include "ingest/ports.h"
#include "platform/blob_store.h"
#include "platform/http/message.h"
#include "platform/http/multipart.h"
#include "platform/worker_pool.h"

namespace thumb::ingest {

// What both kinds of upload need. Everything outlives every request.
struct UploadContext {
  BlobStore& blobs;
  AcceptFlow& flow;
  IdSource& ids;
  WorkerPool& workers;
  http::MultipartLimits multipart;
};

// Chooses by Content-Type: multipart/form-data or not. Errors before the body is read:
// "unknown-parameter" (kInvalid), the store's (kUnavailable).
[[nodiscard]] Result<std::unique_ptr<http::BodyReceiver>> open_upload(UploadContext& context,
                                                                      const http::Request& request);

// The body is one image, whatever its Content-Type says. Answers 202 with Location, Position and
// the resource; else the error of AcceptFlow::accept().
[[nodiscard]] Result<std::unique_ptr<http::BodyReceiver>> open_raw_upload(
    UploadContext& context, const http::Request& request);

// The body is spooled, checked as a whole, and only then taken apart: of a form that is cut off,
// malformed or has a field that is not known nothing is accepted. Each file is an image of its own.
// Answers {"images": [resource or problem, in the form's order]} with Position, 202 if at least one
// was accepted; else the first problem, with the same list as an extension member (empty if the
// form was refused as a whole).
[[nodiscard]] Result<std::unique_ptr<http::BodyReceiver>> open_form_upload(
    UploadContext& context, const http::Request& request);

}  // namespace thumb::ingest
