// The fields of one multipart part (RFC 7578, section 4.2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/http/multipart.h"

namespace thumb::http {

// `parameters` is what follows the first ';' of a field like Content-Disposition. The value of
// `name` with quotes and escapes taken away; nothing if it is missing.
// Two escapes are in use for a quote in a file name: \" (curl, RFC 9110) and %22 (browsers, WHATWG
// HTML); both are undone. Other backslashes stay, since old browsers send whole Windows paths.
[[nodiscard]] std::optional<std::string> parameter(std::string_view parameters,
                                                   std::string_view name);

// `fields` is the part's header block, each line ended by CRLF. "bad-multipart" unless it has
// exactly one Content-Disposition: form-data with a name.
[[nodiscard]] Result<PartHead> parse_part_head(std::string_view fields);

}  // namespace thumb::http
