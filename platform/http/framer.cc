// Compiled with BOOST_DISABLE_ASSERTS: Beast asserts `n >= 5` when a last chunk arrives byte by
// byte, which any client may do; without the assertion it asks for more bytes, as it should.
#include "platform/http/framer.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

#include "platform/http/ascii.h"
#include "platform/http/target.h"
#include "platform/text.h"

namespace thumb::http {
namespace {

namespace beast = boost::beast::http;
using BeastText = boost::beast::string_view;

// RFC 9112, 2.2: a server should ignore at least one empty line before the request line; old
// clients send one after a body. More than that is no request.
constexpr std::size_t kMaxLeadingBytes = 4;

std::string_view view(BeastText text) { return {text.data(), text.size()}; }

std::optional<Method> method_of(beast::verb verb) {
  if (verb == beast::verb::get) return Method::kGet;
  if (verb == beast::verb::head) return Method::kHead;
  if (verb == beast::verb::post) return Method::kPost;
  if (verb == beast::verb::put) return Method::kPut;
  if (verb == beast::verb::patch) return Method::kPatch;
  if (verb == beast::verb::delete_) return Method::kDelete;
  if (verb == beast::verb::options) return Method::kOptions;
  return std::nullopt;
}

constexpr std::string_view kHostMarks = "-._~%!$&'()*+;=:[]";

// A Host is a name or an address with an optional port; whatever could part it from other text
// (blanks, commas, paths, user names) is refused, since caches and logs go by it.
bool is_host(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
           kHostMarks.find(c) != std::string_view::npos;
  });
}

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

// Beast's parser calls back; what it found is kept for next() to hand out one by one.
class Parser final : public beast::basic_parser<true> {
 public:
  explicit Parser(const FramingLimits& limits) : limits_(limits) {
    body_limit(boost::none);  // ours answers with the limit's name, see declared_length()
    header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
  }

  RequestHead head;
  std::string_view body;                // the piece that the last put() found
  std::optional<FramingError> refusal;  // set by a callback
  std::optional<Method> method;
  bool saw_request_line = false;
  bool saw_head = false;

  void refuse(int status, std::string_view code, std::string message) {
    if (!refusal) refusal = FramingError{status, std::string(code), std::move(message)};
  }

 private:
  using Code = boost::beast::error_code;

  void on_request_impl(beast::verb verb, BeastText, BeastText target, int version,
                       Code& ec) override {
    saw_request_line = true;
    head.http10 = version == 10;
    method = method_of(verb);
    if (!method) {
      refuse(501, "unknown-method", "This server does not know the request's method.");
    } else if (target.size() > limits_.max_target_bytes) {
      refuse(414, "target-too-long",
             "The request target is longer than " + std::to_string(limits_.max_target_bytes) +
                 " bytes.");
    } else {
      head.request.method = *method;
      take_target(view(target));
    }
    stop_if_refused(ec);
  }

  void take_target(std::string_view text) {
    auto target = http::parse_target(text);
    if (!target) return refuse(400, target.error().code, target.error().message);
    if (target->raw_path == "*" && head.request.method != Method::kOptions) {
      return refuse(400, "bad-target", "The target '*' goes with OPTIONS only.");
    }
    head.raw_path = std::move(target->raw_path);
    head.request.path = std::move(target->path);
    head.request.query = std::move(target->query);
  }

  void on_field_impl(beast::field name, BeastText name_text, BeastText value_text,
                     Code& ec) override {
    if (saw_head) return;  // a trailer: says nothing that we use
    const std::string_view value = view(value_text);
    auto& headers = head.request.headers;
    if (headers.size() >= limits_.max_fields) {
      refuse(431, "too-many-headers",
             "The request has more than " + std::to_string(limits_.max_fields) + " header fields.");
      return stop_if_refused(ec);
    }
    headers.push_back({std::string(view(name_text)), std::string(value)});
    if (name == beast::field::host) {
      ++hosts_;
      if (!is_host(value)) refuse(400, "bad-host", "The Host field is malformed.");
    } else if (name == beast::field::content_length) {
      // Beast takes equal ones and lists of equals; who passes requests on may not.
      if (++lengths_ > 1 || !parse_u64(value)) {
        refuse(400, "bad-content-length", "Content-Length must be one number.");
      }
    } else if (name == beast::field::transfer_encoding) {
      ++codings_;
      only_chunked_ = only_chunked_ && iequals(value, "chunked");
    } else if (name == beast::field::expect) {
      (iequals(value, "100-continue") ? head.expect_continue : other_expectation_) = true;
    }
    stop_if_refused(ec);
  }

  void on_header_impl(Code& ec) override {
    saw_head = true;
    head.keep_alive = keep_alive();
    check_framing_fields();
    if (!refusal) {
      head.request.content_length = content_length().get_ptr() != nullptr
                                        ? std::optional<std::uint64_t>(*content_length())
                                        : std::nullopt;
      head.request.has_body = codings_ > 0 || head.request.content_length.value_or(0) > 0;
      head.expect_continue = head.expect_continue && !head.http10 && head.request.has_body;
      if (head.request.content_length.value_or(0) > limits_.max_body_bytes) refuse_body();
    }
    stop_if_refused(ec);
  }

  void check_framing_fields() {
    if (hosts_ > 1 || (hosts_ == 0 && !head.http10)) {
      refuse(400, "bad-host", "A request needs exactly one Host field.");
    } else if (codings_ > 0 && (lengths_ > 0 || head.http10)) {
      refuse(400, "bad-transfer-encoding",
             "Transfer-Encoding goes neither with Content-Length nor with HTTP/1.0.");
    } else if (codings_ > 1 || !only_chunked_) {
      refuse(501, "unknown-transfer-encoding", "The only Transfer-Encoding taken is 'chunked'.");
    } else if (other_expectation_ && !head.http10) {
      refuse(417, "unknown-expectation", "The only Expect taken is '100-continue'.");
    }
  }

  void refuse_body() {
    refuse(413, "body-too-large",
           "The body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes.");
  }

  std::size_t on_body_impl(BeastText piece, Code&) override {
    body = view(piece);
    return piece.size();
  }

  void on_chunk_header_impl(std::uint64_t size, BeastText extensions, Code& ec) override {
    // Beast lets a bare LF pass inside a quoted extension; others may see a line's end there.
    const std::string_view text = view(extensions);
    if (std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; })) {
      refuse(400, "bad-chunk", "A chunk extension holds a control character.");
    } else if (size > limits_.max_body_bytes - chunked_bytes_) {
      refuse_body();
    } else {
      chunked_bytes_ += size;
    }
    stop_if_refused(ec);
  }

  std::size_t on_chunk_body_impl(std::uint64_t, BeastText piece, Code&) override {
    body = view(piece);
    return piece.size();
  }

  void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
  void on_response_impl(int, BeastText, int, Code&) override {}
  void on_finish_impl(Code&) override {}

  void stop_if_refused(Code& ec) const {
    if (refusal) ec = beast::error::bad_value;
  }

  const FramingLimits& limits_;
  std::size_t hosts_ = 0;
  std::size_t lengths_ = 0;
  std::size_t codings_ = 0;
  bool only_chunked_ = true;
  bool other_expectation_ = false;
  std::uint64_t chunked_bytes_ = 0;
};

}  // namespace

struct RequestFramer::State {
  std::optional<Parser> parser;
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
  Parser& parser = *state.parser;
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
