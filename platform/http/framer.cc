#include "platform/http/framer.h"

#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

#include "platform/http/ascii.h"
#include "platform/http/request_parser.h"

namespace thumb::http {
namespace {

namespace beast = boost::beast::http;

// RFC 9112, 2.2: a server should ignore at least one empty line before the request line; old
// clients send one after a body. More than that is no request.
constexpr std::size_t kMaxLeadingBytes = 4;

// A line that begins with a blank continues the one before (obs-fold). `lines` begins at a line's
// start and its first line is no continuation.
bool has_folded_line(std::string_view lines) {
  for (std::size_t at = lines.find('\n'); at + 1 < lines.size(); at = lines.find('\n', at + 1)) {
    if (is_blank(lines[at + 1])) return true;
  }
  return false;
}

// Beast refuses a bare LF too, but only once the head's end has come, and in such a text it never
// does.
bool has_bare_line_feed(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

// "GET / HTTP/2.0": a version that we could not know, as opposed to text that is no version.
bool names_a_version(std::string_view input) {
  const std::string_view line = input.substr(0, input.find('\r'));
  const std::size_t at = line.rfind(" HTTP/");
  if (at == std::string_view::npos) return false;
  const std::string_view version = line.substr(at + 6);
  return version.size() == 3 && is_digit(version[0]) && version[1] == '.' && is_digit(version[2]) &&
         version != "1.0" && version != "1.1";
}

}  // namespace

struct RequestFramer::State {
  std::optional<RequestParser> parser;
  std::size_t head_bytes = 0;  // consumed of the head so far
  bool head_given = false;
  FramingError error;
  std::size_t max_header_bytes = 0;

  FrameStep refuse(FramingError why, std::size_t consumed) {
    error = std::move(why);
    return {FrameStep::Kind::kError, consumed, {}};
  }

  // Looks at a step of the parser: `lines` is what it took, `rest` what it left.
  [[nodiscard]] std::optional<FramingError> check(const boost::beast::error_code& ec,
                                                  std::string_view lines, std::string_view rest) {
    const bool more = ec == beast::error::need_more;
    if (ec && !more) return fault(ec, rest);
    if (!head_given) {
      head_bytes += lines.size();
      if (has_folded_line(lines)) {
        return FramingError{400, "bad-request", "Folded header lines are not taken."};
      }
      if (head_bytes > max_header_bytes) return head_too_large(lines);
    } else if (parser->body.empty() && lines.size() > max_header_bytes) {
      return chunk_too_long();
    }
    if (!more) return std::nullopt;
    if (!parser->saw_head && has_bare_line_feed(rest)) {
      return FramingError{400, "bad-request", "Lines must end with CRLF."};
    }
    return over_limit(rest);
  }

  // What is left to say when Beast itself found a fault.
  [[nodiscard]] FramingError fault(const boost::beast::error_code& ec,
                                   std::string_view rest) const {
    if (parser->refusal) return *parser->refusal;
    if (ec == beast::error::header_limit) return head_too_large(rest);
    if (ec == beast::error::bad_version && names_a_version(rest)) {
      return {505, "unknown-version", "This server speaks HTTP/1.1 and HTTP/1.0."};
    }
    if (parser->saw_head) return {400, "bad-chunk", "The body's chunked framing is malformed."};
    return {400, "bad-request", "The request is malformed: " + ec.message() + "."};
  }

  [[nodiscard]] FramingError head_too_large(std::string_view rest) const {
    const bool in_request_line =
        !parser->saw_request_line &&
        rest.substr(0, max_header_bytes).find('\n') == std::string_view::npos;
    if (in_request_line) {
      return {414, "target-too-long", "The request line is too long."};
    }
    return {431, "headers-too-large", "The request's header fields are too large."};
  }

  // Unconsumed text must stay below the limit, in the head and between chunks alike.
  [[nodiscard]] std::optional<FramingError> over_limit(std::string_view rest) const {
    if (parser->saw_head) {
      return rest.size() < max_header_bytes ? std::nullopt : std::optional(chunk_too_long());
    }
    return head_bytes + rest.size() < max_header_bytes ? std::nullopt
                                                       : std::optional(head_too_large(rest));
  }

  [[nodiscard]] static FramingError chunk_too_long() {
    return {400, "bad-chunk", "A chunk's header or the trailer is too long."};
  }
};

RequestFramer::RequestFramer(const FramingLimits& limits)
    : limits_(limits), state_(std::make_unique<State>()) {
  state_->max_header_bytes = limits.max_header_bytes;
  state_->parser.emplace(limits_);
}

RequestFramer::~RequestFramer() = default;

void RequestFramer::reset() {
  state_->parser.emplace(limits_);
  state_->head_bytes = 0;
  state_->head_given = false;
}

RequestHead RequestFramer::take_head() { return std::move(state_->parser->head); }
const FramingError& RequestFramer::error() const { return state_->error; }
std::optional<Method> RequestFramer::method() const { return state_->parser->method; }

FrameStep RequestFramer::next(std::string_view input) {
  using Kind = FrameStep::Kind;
  State& state = *state_;
  RequestParser& parser = *state.parser;
  std::size_t consumed = 0;
  while (!parser.got_some() && state.head_bytes < kMaxLeadingBytes && input.starts_with("\r\n")) {
    input.remove_prefix(2);
    consumed += 2;
    state.head_bytes += 2;
  }
  if (!parser.got_some() && input == "\r") return {Kind::kNeedMore, consumed, {}};
  for (;;) {
    if (parser.saw_head && state.head_given && parser.is_done()) return {Kind::kEnd, consumed, {}};
    if (input.empty()) return {Kind::kNeedMore, consumed, {}};
    parser.body = {};
    boost::beast::error_code ec;
    const std::size_t taken = parser.put(boost::asio::const_buffer(input.data(), input.size()), ec);
    const std::string_view lines = input.substr(0, taken);
    input.remove_prefix(taken);
    consumed += taken;
    if (auto fault = state.check(ec, lines, input)) return state.refuse(*fault, consumed);
    if (ec) return {Kind::kNeedMore, consumed, {}};
    if (!std::exchange(state.head_given, true)) return {Kind::kHead, consumed, {}};
    if (!parser.body.empty()) return {Kind::kBody, consumed, parser.body};
  }
}

}  // namespace thumb::http
