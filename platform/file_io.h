// File descriptors that close themselves, and the durable write: temp file, fsync, rename, fsync of
// the folder. The one place of this sequence.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "platform/bytes.h"
#include "platform/result.h"

namespace thumb {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// kUnavailable/"io-error" with errno's text as detail (back off); kNotFound for ENOENT.
[[nodiscard]] Failure io_failure(std::string_view what, int error_number);

[[nodiscard]] Result<void> write_fully(int fd, ByteView bytes);
[[nodiscard]] Result<void> fsync_directory(const std::filesystem::path& directory);
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

// Replaces `path` atomically and durably: after a crash it holds the old text or the new one.
[[nodiscard]] Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace thumb
