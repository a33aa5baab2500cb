#include "platform/http/request_parser.h"

#include <algorithm>
#include <utility>

#include "platform/http/ascii.h"
#include "platform/http/target.h"
#include "platform/text.h"

namespace thumb::http {
namespace {

namespace beast = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

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

}  // namespace

RequestParser::RequestParser(const FramingLimits& limits) : limits_(limits) {
  body_limit(boost::none);  // ours answers with the limit's name, see refuse_body()
  header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
}

void RequestParser::on_request_impl(Verb verb, Text, Text target, int version, Code& ec) {
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

void RequestParser::take_target(std::string_view text) {
  auto target = http::parse_target(text);
  if (!target) return refuse(400, target.error().code, target.error().message);
  if (target->raw_path == "*" && head.request.method != Method::kOptions) {
    return refuse(400, "bad-target", "The target '*' goes with OPTIONS only.");
  }
  head.raw_path = std::move(target->raw_path);
  head.request.path = std::move(target->path);
  head.request.query = std::move(target->query);
}

void RequestParser::on_field_impl(Field name, Text name_text, Text value_text, Code& ec) {
  if (saw_head) return;  // a trailer: says nothing that we use
  const std::string_view value = view(value_text);
  auto& headers = head.request.headers;
  if (headers.size() >= limits_.max_fields) {
    refuse(431, "too-many-headers",
           "The request has more than " + std::to_string(limits_.max_fields) + " header fields.");
    return stop_if_refused(ec);
  }
  headers.push_back({std::string(view(name_text)), std::string(value)});
  look_at_field(name, value);
  stop_if_refused(ec);
}

void RequestParser::look_at_field(Field name, std::string_view value) {
  if (name == beast::field::host) {
    ++hosts_;
    if (!is_host(value)) refuse(400, "bad-host", "The Host field is malformed.");
  } else if (name == beast::field::content_length) {
    // Beast takes equal ones and lists of equals; who passes requests on may not.
    head.request.content_length = parse_u64(value);
    if (++lengths_ > 1 || !head.request.content_length) {
      refuse(400, "bad-content-length", "Content-Length must be one number.");
    }
  } else if (name == beast::field::transfer_encoding) {
    ++codings_;
    only_chunked_ = only_chunked_ && iequals(value, "chunked");
  } else if (name == beast::field::expect) {
    (iequals(value, "100-continue") ? head.expect_continue : other_expectation_) = true;
  }
}

void RequestParser::on_header_impl(Code& ec) {
  saw_head = true;
  head.keep_alive = keep_alive();
  check_framing_fields();
  if (!refusal) {
    head.request.has_body = codings_ > 0 || head.request.content_length.value_or(0) > 0;
    head.expect_continue = head.expect_continue && !head.http10 && head.request.has_body;
    if (head.request.content_length.value_or(0) > limits_.max_body_bytes) refuse_body();
  }
  stop_if_refused(ec);
}

void RequestParser::check_framing_fields() {
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

std::size_t RequestParser::on_body_impl(Text piece, Code&) {
  body = view(piece);
  return piece.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, Text extensions, Code& ec) {
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

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text piece, Code&) {
  body = view(piece);
  return piece.size();
}

void RequestParser::refuse(int status, std::string_view code, std::string message) {
  if (!refusal) refusal = FramingError{status, std::string(code), std::move(message)};
}

void RequestParser::refuse_body() {
  refuse(413, "body-too-large",
         "The body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes.");
}

void RequestParser::stop_if_refused(Code& ec) const {
  if (refusal) ec = beast::error::bad_value;
}

}  // namespace thumb::http
