// One keep-alive connection of a client that measures: blocking, and cheap enough not to be what is
// measured. Knows the two calls that both sides answer, and nothing else of HTTP.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/bytes.h"
#include "platform/file_io.h"
#include "platform/result.h"

namespace thumb::bench {

// What either side says of an image, as far as it is asked here.
struct ImageStatus {
  std::string id;
  std::string state;
};

// For one thread. Every call ends within 30 s; an error (also an answer of another status than the
// expected one) means that the run measured nothing: never retry.
class Connection {
 public:
  [[nodiscard]] static Result<Connection> open(std::uint16_t port);

  // POST /v1/images; succeeds on 202.
  [[nodiscard]] Result<ImageStatus> post_jpeg(ByteView image);
  // GET /v1/images/{id}; succeeds on 200.
  [[nodiscard]] Result<ImageStatus> get_status(const std::string& id);
  // The same, the answer's bytes counted and not read.
  [[nodiscard]] Result<std::size_t> get_status_size(const std::string& id);

 private:
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}
  // Leaves the answer's body in body_.
  [[nodiscard]] Result<void> exchange(std::string_view head, ByteView body, int expected_status);
  [[nodiscard]] Result<void> receive(int expected_status);
  [[nodiscard]] Result<void> receive_more();

  UniqueFd fd_;
  std::string received_;
  std::string body_;
};

}  // namespace thumb::bench
