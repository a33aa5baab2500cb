// Sockets that carry whole messages (SOCK_SEQPACKET) between the processor, its zygote and its
// workers. The functions use no more system calls than a confined worker may make.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "platform/bytes.h"
#include "platform/file_io.h"
#include "platform/result.h"

namespace thumb {

struct ChannelPair {
  UniqueFd ours;
  UniqueFd theirs;
};
// Both ends close on exec. kUnavailable/"io-error" when descriptors run out.
[[nodiscard]] Result<ChannelPair> make_channel();

// At once or not at all. False: the other side is gone, or does not read.
[[nodiscard]] bool send_message(int fd, ByteView message, std::span<const int> fds = {});

// Waits for a message without a limit and returns its length. Nothing: the other side is gone, or
// the message is longer than `into`. Descriptors are dropped unless `fds` is given.
[[nodiscard]] std::optional<std::size_t> receive_message(int fd, std::span<std::byte> into,
                                                         std::vector<UniqueFd>* fds = nullptr);

// False: nothing came before the deadline. The end of the other side counts as readable.
[[nodiscard]] bool wait_readable(int fd, std::chrono::steady_clock::time_point deadline);

// Messages that are one plain struct; both sides are the same binary on the same machine.
template <typename T>
[[nodiscard]] bool send_struct(int fd, const T& value, std::span<const int> fds = {}) {
  return send_message(fd, std::as_bytes(std::span(&value, 1)), fds);
}
template <typename T>
[[nodiscard]] std::optional<T> receive_struct(int fd, std::vector<UniqueFd>* fds = nullptr) {
  T value{};
  const auto length = receive_message(fd, std::as_writable_bytes(std::span(&value, 1)), fds);
  if (length != sizeof(T)) return std::nullopt;
  return value;
}

}  // namespace thumb
