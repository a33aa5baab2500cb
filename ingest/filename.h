// File names: what is kept of a client's, and what a download is called. Pure.
#pragma once

#include <string>
#include <string_view>

namespace thumb::ingest {

inline constexpr std::size_t kMaxFilenameBytes = 255;

// The last path segment (of either slash), as UTF-8 of at most kMaxFilenameBytes: control and
// text-direction characters and ill-formed bytes are dropped, a cut falls between characters.
// Empty if nothing worth keeping is left ("", ".", "..").
[[nodiscard]] std::string clean_filename(std::string_view as_sent);

// "photo.jpg", label "thumbnail", "png" -> "photo.thumbnail.png". `fallback` stands in for an empty
// name.
[[nodiscard]] std::string download_name(std::string_view filename, std::string_view fallback,
                                        std::string_view label, std::string_view extension);

// A Content-Disposition value (RFC 6266): "inline" with an ASCII `filename` for old clients and,
// where that says less than the name, `filename*` (RFC 8187). Safe for any name: it can't leave its
// quotes.
[[nodiscard]] std::string inline_disposition(std::string_view filename);

}  // namespace thumb::ingest
