// What requests carry in their path, query and headers, checked. Pure. Every error is kInvalid and
// names the parameter.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock.h"
#include "platform/http/message.h"
#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/ids.h"
#include "state_projector/view_reader.h"

namespace thumb::ingest {

// "unknown-parameter" for one that is not in `known` (a misspelt option must not be dropped
// silently), "repeated-parameter" for one that comes twice.
[[nodiscard]] Result<void> check_parameters(const http::Request& request,
                                            std::initializer_list<std::string_view> known);

// A request about one image.
struct ImageQuery {
  ImageId id;
  std::vector<LogPosition> min_positions;  // from Min-Position; empty if there was none
};

// "bad-id", "bad-min-position", "unknown-parameter". `known`: the query parameters of the route.
[[nodiscard]] Result<ImageQuery> parse_image_query(
    const http::Request& request, std::initializer_list<std::string_view> known = {});

// at: the time that is asked about, if any. "bad-at".
[[nodiscard]] Result<std::optional<TimeMs>> parse_at(const http::Request& request);

// The header "partition:offset, partition:offset, ...", at most 100 entries. "bad-min-position".
[[nodiscard]] Result<std::vector<LogPosition>> parse_min_positions(const http::Request& request);

// state, limit, cursor. "bad-state", "bad-limit", "bad-cursor", "unknown-parameter".
[[nodiscard]] Result<ListQuery> parse_list_query(const http::Request& request);

// Everything but unreserved characters as %XX (RFC 3986), for a value in a query.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace thumb::ingest
