#include "bench/load/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace thumb::bench {
namespace {

constexpr timeval kPatience{.tv_sec = 30, .tv_usec = 0};

Failure bad_answer(std::string_view what, std::string_view detail) {
  return fail(ErrorKind::kInternal, "bad-answer", what, detail);
}

// The value of a header whose name is written in lower case here; empty if there is none.
std::string_view header(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    const bool same = line.size() > name.size() && line[name.size()] == ':' &&
                      ::strncasecmp(line.data(), name.data(), name.size()) == 0;
    if (same) {
      const auto value = line.substr(name.size() + 1);
      return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
    head.remove_prefix(std::min(head.size(), line.size() + 2));
  }
  return {};
}

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

Result<ImageStatus> to_status(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json.contains("state")) {
    return bad_answer("an answer names no id and state", body);
  }
  return ImageStatus{json["id"].get<std::string>(), json["state"].get<std::string>()};
}

std::string get_head(const std::string& id) {
  return fmt::format("GET /v1/images/{} HTTP/1.1\r\nHost: bench\r\n\r\n", id);
}

}  // namespace

Result<Connection> Connection::open(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return io_failure("socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return io_failure("connect", errno);
  }
  return Connection(std::move(fd));
}

Result<ImageStatus> Connection::post_jpeg(ByteView image) {
  const auto head = fmt::format(
      "POST /v1/images HTTP/1.1\r\nHost: bench\r\nContent-Type: image/jpeg\r\n"
      "Content-Length: {}\r\n\r\n",
      image.size());
  if (auto done = exchange(head, image, 202); !done) return Failure(done.error());
  return to_status(body_);
}

Result<ImageStatus> Connection::get_status(const std::string& id) {
  if (auto done = exchange(get_head(id), {}, 200); !done) return Failure(done.error());
  return to_status(body_);
}

Result<std::size_t> Connection::get_status_size(const std::string& id) {
  return exchange(get_head(id), {}, 200).map([this] { return body_.size(); });
}

Result<void> Connection::exchange(std::string_view head, ByteView body, int expected_status) {
  if (auto sent = write_fully(fd_.get(), as_bytes(head)); !sent) return sent;
  if (auto sent = write_fully(fd_.get(), body); !sent) return sent;
  return receive(expected_status);
}

Result<void> Connection::receive(int expected_status) {
  std::size_t head_end = 0;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (auto more = receive_more(); !more) return more;
  }
  const std::string_view head = std::string_view(received_).substr(0, head_end);
  int status = 0;
  std::size_t length = 0;
  if (head.size() < 12 || !parse_number(head.substr(9, 3), status) ||
      !parse_number(header(head, "content-length"), length)) {
    return bad_answer("an answer has no status or no length", head);
  }
  const std::size_t whole = head_end + 4 + length;
  while (received_.size() < whole) {
    if (auto more = receive_more(); !more) return more;
  }
  body_ = received_.substr(head_end + 4, length);
  received_.erase(0, whole);
  if (status == expected_status) return {};
  return bad_answer(fmt::format("the answer is {} and not {}", status, expected_status), body_);
}

Result<void> Connection::receive_more() {
  std::array<char, 16UL * 1024> buffer{};
  const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return io_failure("receive", errno);
  if (got == 0) return bad_answer("the connection was closed", {});
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return {};
}

}  // namespace thumb::bench
