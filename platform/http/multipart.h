// multipart/form-data (RFC 7578): walks a body that lies spooled on disk, part by part, in flat
// memory: the bytes handed out are views of the body. Pure.
//
// A reader of our own, since Poco 1.11's MultipartReader was found unfit: it ends without an error
// where the closing boundary is missing (a cut upload would pass for a whole one), ends a part at
// a bare LF before the boundary's text (which image bytes may hold), and skips malformed fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/bytes.h"
#include "platform/result.h"

namespace thumb::http {

struct PartHead {
  std::string name;  // form field
  // As the client gave it, unquoted; not yet to be trusted. `filename*` (RFC 8187) is preferred.
  std::optional<std::string> filename;
  std::string content_type;  // empty if not given
};

// Calls come in order: begin_part, part_data*, end_part for each part. An error ends the walk and
// is what read_multipart returns.
class PartHandler {
 public:
  virtual ~PartHandler() = default;
  [[nodiscard]] virtual Result<void> begin_part(PartHead head) = 0;
  [[nodiscard]] virtual Result<void> part_data(ByteView bytes) = 0;
  [[nodiscard]] virtual Result<void> end_part() = 0;
};

struct MultipartLimits {
  std::size_t max_parts = 100;
};

// `content_type` is the request's header, with its boundary. Errors, all kInvalid (never retry):
// "bad-multipart" (boundary missing or malformed, a part's head malformed or over its limits),
// "truncated-multipart" (the closing boundary is missing); kLimit/"too-many-parts".
[[nodiscard]] Result<void> read_multipart(ByteView body, std::string_view content_type,
                                          PartHandler& handler, const MultipartLimits& limits);

}  // namespace thumb::http
