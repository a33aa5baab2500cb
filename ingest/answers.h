// Answers that several routes give.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/lookup.h"
#include "platform/http/message.h"
#include "platform/result.h"
#include "schemas/row.h"

namespace thumb::ingest {

// application/json, never stored by caches.
[[nodiscard]] http::Response json_answer(int status, std::string body);

// Why a looked-up image can't be served: the lookup's error, 404 "unknown-image" or 410
// "image-deleted" with what is left of the record. Nothing if the row is there.
[[nodiscard]] std::optional<http::Response> refusal(const ImageLookup::Found& found);

// The history of an image that a lookup has found; the answer to give instead if the view can't be
// read, or the image was deleted since.
[[nodiscard]] tl::expected<std::vector<HistoryEntry>, http::Response> history_of(ViewReader& view,
                                                                                 const ImageId& id);

// A problem with extension members (RFC 9457 section 3.2), given as the text of a JSON object.
[[nodiscard]] http::Response extended(http::Response problem, const std::string& members);

// kUnavailable/"busy": the workers' queue is full.
[[nodiscard]] Error workers_busy();

}  // namespace thumb::ingest
