// POSIX file calls with EINTR handled and errno turned into Error.
#include "platform/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace thumb {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Failure io_failure(std::string_view what, int error_number) {
  const auto detail = std::string(what) + ": " + std::generic_category().message(error_number);
  if (error_number == ENOENT) {
    return fail(ErrorKind::kNotFound, "not-found", "no such file", detail);
  }
  return fail_transient(ErrorKind::kUnavailable, "io-error", "the storage can't be used right now",
                        detail);
}

Result<void> write_fully(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_failure("write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> fsync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return io_failure("open folder", errno);
  if (::fsync(fd.get()) != 0) return io_failure("fsync folder", errno);
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return io_failure("open", errno);
  std::string text;
  char chunk[4096];
  for (;;) {
    const auto got = ::read(fd.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure("read", errno);
    if (got == 0) return text;
    text.append(chunk, static_cast<std::size_t>(got));
  }
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text) {
  const auto temp = path.string() + ".tmp." + std::to_string(::getpid());
  {
    const UniqueFd fd(::open(temp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd.valid()) return io_failure("create", errno);
    if (auto written = write_fully(fd.get(), as_bytes(text)); !written) return written;
    if (::fsync(fd.get()) != 0) return io_failure("fsync", errno);
  }
  if (::rename(temp.c_str(), path.c_str()) != 0) return io_failure("rename", errno);
  return fsync_directory(path.parent_path().empty() ? "." : path.parent_path());
}

}  // namespace thumb
