// Can others reach what listens on this address? Pure.
#pragma once

#include <string_view>

namespace thumb {

// A numeric loopback address or "localhost".
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace thumb
