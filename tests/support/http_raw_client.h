// A client that speaks HTTP byte by byte, to say what no well-behaved client would.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "platform/file_io.h"

namespace thumb::test {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // Empty if there is none.
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// Connects to 127.0.0.1. Every wait ends after ten seconds and then fails the test.
class RawClient {
 public:
  // `receive_buffer_bytes` makes a client that takes little at a time; 0 leaves the default.
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0);
  // Has its descriptor and waits for connect(): for where none will be left by then.
  RawClient();

  // Once, after RawClient().
  void connect(std::uint16_t port);

  void send(std::string_view text);
  // What the kernel takes at once; -1 once the connection is broken.
  [[nodiscard]] long send_some(std::string_view text);
  void finish_sending();  // FIN; may still read
  void reset();           // RST
  void close() { fd_.reset(); }

  // The next answer; its body is read by Content-Length unless it has none by rule. Nothing if the
  // server closed before a whole one came.
  [[nodiscard]] std::optional<RawResponse> read_response(bool to_head = false);
  // Everything until the server closes.
  [[nodiscard]] std::string read_to_end();
  // Up to `bytes`; less only at the end.
  [[nodiscard]] std::string read(std::size_t bytes);
  // True once the server has closed or reset the connection, with nothing left to read.
  [[nodiscard]] bool at_end();

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  bool fill();

  UniqueFd fd_;
  std::string received_;
  bool ended_ = false;
};

// One request on a connection of its own.
[[nodiscard]] std::optional<RawResponse> exchange(std::uint16_t port, std::string_view request,
                                                  bool to_head = false);

[[nodiscard]] std::string get_request(std::string_view path, std::string_view fields = "");
[[nodiscard]] std::string post_request(std::string_view path, std::string_view body,
                                       std::string_view fields = "");

}  // namespace thumb::test
