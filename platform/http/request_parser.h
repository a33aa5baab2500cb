// Beast's parser, which calls back; what it found of one request is kept until it is asked for.
// Who includes this is compiled with BOOST_DISABLE_ASSERTS: Beast asserts `n >= 5` when a last
// chunk arrives byte by byte, which any client may do; without the assertion it asks for more
// bytes, as it should.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/framer.h"
#include "platform/http/message.h"

namespace thumb::http {

class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  // `limits` outlive it.
  explicit RequestParser(const FramingLimits& limits);

  RequestHead head;
  std::string_view body;                // the piece that the last put() found
  std::optional<FramingError> refusal;  // set by a callback
  std::optional<Method> method;
  bool saw_request_line = false;
  bool saw_head = false;

 private:
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;
  using Field = boost::beast::http::field;
  using Verb = boost::beast::http::verb;

  void on_request_impl(Verb verb, Text, Text target, int version, Code& ec) override;
  void on_field_impl(Field name, Text name_text, Text value_text, Code& ec) override;
  void on_header_impl(Code& ec) override;
  std::size_t on_body_impl(Text piece, Code&) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, Code& ec) override;
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, Code&) override;
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
  void on_response_impl(int, Text, int, Code&) override {}
  void on_finish_impl(Code&) override {}

  void take_target(std::string_view text);
  void look_at_field(Field name, std::string_view value);
  void check_framing_fields();
  void refuse(int status, std::string_view code, std::string message);
  void refuse_body();
  void stop_if_refused(Code& ec) const;

  const FramingLimits& limits_;
  std::size_t hosts_ = 0;
  std::size_t lengths_ = 0;
  std::size_t codings_ = 0;
  bool only_chunked_ = true;
  bool other_expectation_ = false;
  std::uint64_t chunked_bytes_ = 0;
};

}  // namespace thumb::http
