#include "processor/sandbox/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace thumb {
namespace {

constexpr std::size_t kMostFds = 4;

}  // namespace

Result<ChannelPair> make_channel() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return io_failure("socketpair", errno);
  }
  return ChannelPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_message(int fd, ByteView message, std::span<const int> fds) {
  if (fds.size() > kMostFds) return false;
  iovec part{const_cast<std::byte*>(message.data()), message.size()};  // sendmsg only reads it
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

std::optional<std::size_t> receive_message(int fd, std::span<std::byte> into,
                                           std::vector<UniqueFd>* fds) {
  iovec part{into.data(), into.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  if (fds != nullptr) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  ssize_t length = 0;
  do {
    length = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); fds != nullptr && c != nullptr;
       c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::array<int, kMostFds> numbers{};
    const std::size_t bytes = std::min(c->cmsg_len - CMSG_LEN(0), sizeof(numbers));
    std::memcpy(numbers.data(), CMSG_DATA(c), bytes);
    for (std::size_t i = 0; i < bytes / sizeof(int); ++i) fds->emplace_back(numbers.at(i));
  }
  if (length <= 0 || (header.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
  return static_cast<std::size_t>(length);
}

bool wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waited{fd, POLLIN, 0};
    const auto wait = std::clamp(left, milliseconds(0), milliseconds(1'000'000));
    const int ready = poll(&waited, 1, static_cast<int>(wait.count()));
    if (ready > 0) return true;
    if (ready == 0 && left <= wait) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace thumb
