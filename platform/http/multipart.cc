#include "platform/http/multipart.h"

#include <cstring>

#include "platform/http/ascii.h"
#include "platform/http/part_head.h"

namespace thumb::http {
namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1
constexpr std::size_t kMaxPartHead =
    std::size_t{16} * 1024;  // room for a file name of many thousand bytes

Failure bad(std::string_view message) {
  return fail(ErrorKind::kInvalid, "bad-multipart", message);
}

Failure truncated() {
  return fail(ErrorKind::kInvalid, "truncated-multipart",
              "The multipart body ends before its closing boundary.");
}

// memmem: string_view::find is slow on texts full of the needle's first byte.
std::size_t find(std::string_view text, std::string_view needle, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

Result<std::string> boundary_of(std::string_view content_type) {
  const std::size_t semicolon = content_type.find(';');
  if (!iequals(trim_blanks(content_type.substr(0, semicolon)), "multipart/form-data")) {
    return bad("The Content-Type is not multipart/form-data.");
  }
  const auto boundary = semicolon == std::string_view::npos
                            ? std::nullopt
                            : parameter(content_type.substr(semicolon + 1), "boundary");
  if (!boundary) return bad("The Content-Type has no boundary.");
  if (boundary->empty() || boundary->size() > kMaxBoundary) {
    return bad("The boundary must have 1 to 70 characters.");
  }
  return *boundary;
}

struct Delimiter {
  std::size_t begin = 0;  // where the data before it ends: at the CRLF that belongs to it
  std::size_t end = 0;    // after its own line
  bool closes = false;
};

// Walks from delimiter to delimiter over the body, which is never copied.
class Walker {
 public:
  Walker(std::string_view body, const std::string& boundary)
      : body_(body), delimiter_("\r\n--" + boundary) {}

  // The first delimiter may stand at the very start, without the CRLF before it.
  [[nodiscard]] std::optional<Delimiter> first() const {
    const std::string_view dashed = std::string_view(delimiter_).substr(2);
    if (body_.starts_with(dashed)) {
      if (const auto line = rest_of_line(0, dashed.size())) return line;
    }
    return next(0);
  }

  // The next delimiter line at or after `from`; text that only starts like one is data.
  [[nodiscard]] std::optional<Delimiter> next(std::size_t from) const {
    for (;;) {
      const std::size_t at = find(body_, delimiter_, from);
      if (at == std::string_view::npos) return std::nullopt;
      if (const auto line = rest_of_line(at, at + delimiter_.size())) return line;
      from = at + 2;
    }
  }

 private:
  // After the boundary: "--" closes; else blanks may follow (RFC 2046), then CRLF.
  [[nodiscard]] std::optional<Delimiter> rest_of_line(std::size_t begin, std::size_t at) const {
    if (body_.substr(at).starts_with("--")) return Delimiter{begin, at + 2, true};
    while (at < body_.size() && is_blank(body_[at])) ++at;
    if (!body_.substr(at).starts_with("\r\n")) return std::nullopt;
    return Delimiter{begin, at + 2, false};
  }

  const std::string_view body_;
  const std::string delimiter_;
};

}  // namespace

Result<void> read_multipart(ByteView bytes, std::string_view content_type, PartHandler& handler,
                            const MultipartLimits& limits) {
  const auto boundary = boundary_of(content_type);
  if (!boundary) return Failure(boundary.error());
  const std::string_view body = as_text(bytes);
  const Walker walker(body, *boundary);
  auto delimiter = walker.first();
  for (std::size_t parts = 0; delimiter && !delimiter->closes; ++parts) {
    if (parts == limits.max_parts) {
      return fail(
          ErrorKind::kLimit, "too-many-parts",
          "A multipart body may have at most " + std::to_string(limits.max_parts) + " parts.");
    }
    // The block starts at the delimiter's own CRLF, so that an empty one is found too.
    const std::size_t head_end =
        find(body.substr(0, delimiter->end + kMaxPartHead), "\r\n\r\n", delimiter->end - 2);
    if (head_end == std::string_view::npos) {
      if (body.size() - delimiter->end < kMaxPartHead) return truncated();
      return bad("A part's header is too long.");
    }
    auto head = parse_part_head(
        body.substr(delimiter->end, std::max(head_end, delimiter->end) - delimiter->end));
    if (!head) return Failure(head.error());
    // The CRLF of the empty line may also be the one before the next delimiter: an empty part.
    const std::size_t data = head_end + 4;
    delimiter = walker.next(head_end + 2);
    if (!delimiter) return truncated();
    if (auto begun = handler.begin_part(std::move(*head)); !begun) return begun;
    if (delimiter->begin > data) {
      auto given = handler.part_data(bytes.subspan(data, delimiter->begin - data));
      if (!given) return given;
    }
    if (auto ended = handler.end_part(); !ended) return ended;
  }
  if (!delimiter) return truncated();
  return {};
}

}  // namespace thumb::http
