// The listening socket.
#pragma once

#include <cstdint>
#include <string>

#include "platform/file_io.h"
#include "platform/result.h"

namespace thumb::http {

struct Listener {
  UniqueFd socket;  // non-blocking; what it accepts has TCP_NODELAY
  std::uint16_t port = 0;
};

// `host` is a name or a numeric IPv4 or IPv6 address; port 0 takes any free one. Errors:
// kUnavailable/"address-in-use" and kUnavailable/"cannot-listen" name host and port,
// kInvalid/"bad-host" for a host that doesn't resolve.
[[nodiscard]] Result<Listener> listen_on(const std::string& host, std::uint16_t port);

}  // namespace thumb::http
