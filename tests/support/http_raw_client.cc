#include "tests/support/http_raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace thumb::test {
namespace {

constexpr int kDeadlineMs = 60'000;

// False after the deadline, and then the test has failed.
bool wait_for(int fd, short what) {
  pollfd poll{.fd = fd, .events = what, .revents = 0};
  const int ready = ::poll(&poll, 1, kDeadlineMs);
  if (ready <= 0) ADD_FAILURE() << "the server kept a client waiting";
  return ready > 0;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

RawResponse parse_head(std::string_view head) {
  RawResponse response;
  EXPECT_TRUE(head.starts_with("HTTP/1.1 ")) << head;
  response.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  for (std::size_t at = std::min(head.find("\r\n"), head.size()); at < head.size();) {
    const std::size_t end = std::min(head.find("\r\n", at + 2), head.size());
    const std::string_view line = head.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(": ");
    EXPECT_NE(colon, std::string_view::npos) << line;
    const auto added = response.headers.emplace(lower(std::string(line.substr(0, colon))),
                                                std::string(line.substr(colon + 2)));
    EXPECT_TRUE(added.second) << "twice: " << line;
    at = end;
  }
  return response;
}

}  // namespace

RawClient::RawClient() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes) : RawClient() {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof(receive_buffer_bytes));
  }
  connect(port);
}

void RawClient::connect(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result =
      ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (result != 0) {
    EXPECT_EQ(errno, EINPROGRESS);
    wait_for(fd_.get(), POLLOUT);
  }
}

long RawClient::send_some(std::string_view text) {
  const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

void RawClient::send(std::string_view text) {
  while (!text.empty()) {
    const long sent = send_some(text);
    if (sent < 0) return;  // the server has closed: what it said can still be read
    text.remove_prefix(static_cast<std::size_t>(sent));
    if (!text.empty() && !wait_for(fd_.get(), POLLOUT)) return;
  }
}

void RawClient::finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::reset() {
  const linger abort{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  fd_.reset();
}

bool RawClient::fill() {
  if (ended_) return false;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(got));
      return true;
    }
    const bool again = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (!again || !wait_for(fd_.get(), POLLIN)) {
      ended_ = true;
      return false;
    }
  }
}

std::optional<RawResponse> RawClient::read_response(bool to_head) {
  std::size_t head_end = 0;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  RawResponse response = parse_head(std::string_view(received_).substr(0, head_end));
  received_.erase(0, head_end + 4);
  if (to_head || response.status == 100 || !response.headers.contains("content-length")) {
    return response;
  }
  const auto length = std::stoul(response.headers["content-length"]);
  response.body = read(length);
  if (response.body.size() < length) return std::nullopt;
  return response;
}

std::string RawClient::read(std::size_t bytes) {
  while (received_.size() < bytes && fill()) {
  }
  std::string text = received_.substr(0, bytes);
  received_.erase(0, text.size());
  return text;
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(received_, {});
}

bool RawClient::at_end() { return received_.empty() && !fill(); }

std::optional<RawResponse> exchange(std::uint16_t port, std::string_view request, bool to_head) {
  RawClient client(port);
  client.send(request);
  return client.read_response(to_head);
}

std::string get_request(std::string_view path, std::string_view fields) {
  return std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: test\r\n").append(fields) +
         "\r\n";
}

std::string post_request(std::string_view path, std::string_view body, std::string_view fields) {
  return std::string("POST ")
             .append(path)
             .append(" HTTP/1.1\r\nHost: test\r\nContent-Length: ")
             .append(std::to_string(body.size()))
             .append("\r\n")
             .append(fields) +
         "\r\n" + std::string(body);
}

}  // namespace thumb::test
