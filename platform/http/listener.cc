#include "platform/http/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace thumb::http {
namespace {

constexpr int kBacklog = 1024;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<AddressList> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return fail(ErrorKind::kInvalid, "bad-host", "The host " + host + " can't be resolved.",
                ::gai_strerror(code));
  }
  return AddressList(found, &::freeaddrinfo);
}

// 0 or errno.
int bind_and_listen(int fd, const addrinfo& address) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // accepted sockets inherit it
  if (::bind(fd, address.ai_addr, address.ai_addrlen) != 0) return errno;
  return ::listen(fd, kBacklog) != 0 ? errno : 0;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<Listener> listen_on(const std::string& host, std::uint16_t port) {
  const auto addresses = resolve(host, port);
  if (!addresses) return Failure(addresses.error());
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    UniqueFd fd(::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = fd.valid() ? bind_and_listen(fd.get(), *at) : errno;
    if (error == 0) {
      const std::uint16_t bound = port_of(fd.get());
      return Listener{std::move(fd), bound};
    }
  }
  const std::string where = host + ":" + std::to_string(port);
  if (error == EADDRINUSE) {
    return fail_transient(ErrorKind::kUnavailable, "address-in-use",
                          "The address " + where + " is taken by another program.");
  }
  return fail(ErrorKind::kUnavailable, "cannot-listen", "Can't listen on " + where + ".",
              std::strerror(error));
}

}  // namespace thumb::http
