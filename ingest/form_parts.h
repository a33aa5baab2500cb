// Walks over a spooled multipart/form-data body: first to check the form as a whole, then to stage
// its files one by one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ingest/staged_file.h"
#include "platform/blob_store.h"
#include "platform/http/multipart.h"

namespace thumb::ingest {

// Checks a form without keeping any of it: every part must be a file, that is, be named as one
// (filename=) or start like an image. Errors: those of http::read_multipart(), kInvalid
// "empty-body", "unknown-field" (names it) and "no-files".
[[nodiscard]] Result<void> check_form(ByteView body, std::string_view content_type,
                                      const http::MultipartLimits& limits);

// Gives each part as a staged file, in order. A part that can't be staged is an error of its own
// and the walk goes on. REQUIRES: check_form() passed on the same body.
[[nodiscard]] Result<void> stage_form(ByteView body, std::string_view content_type,
                                      const http::MultipartLimits& limits, BlobStore& blobs,
                                      const std::function<void(Result<StagedFile>)>& each);

}  // namespace thumb::ingest
