// Memory shared with a worker process, in which image bytes go in and thumbnails come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "platform/bytes.h"
#include "platform/file_io.h"
#include "platform/result.h"

namespace thumb {

// A mapping of shared memory, unmapped at the end of its life. Pages cost memory once touched.
class SharedMapping {
 public:
  enum class Access { kRead, kReadWrite };
  // All of what `fd` refers to; the descriptor may be closed afterwards. kUnavailable/"io-error".
  [[nodiscard]] static Result<SharedMapping> of(int fd, Access access);

  SharedMapping() = default;
  ~SharedMapping();
  SharedMapping(SharedMapping&& other) noexcept;
  SharedMapping& operator=(SharedMapping&& other) noexcept;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit SharedMapping(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

// The processor's side of a piece of shared memory. Nobody can change its size once it is made, so
// that a worker can't make the processor read past its end (SIGBUS).
class SharedArea {
 public:
  // `ours` is what this side does with it. kUnavailable/"io-error".
  [[nodiscard]] static Result<SharedArea> create(const char* name, std::uint64_t size,
                                                 SharedMapping::Access ours);

  [[nodiscard]] std::span<std::byte> bytes() const { return mapping_.bytes(); }
  // For the worker. The second can't be mapped writable, not even with mprotect.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Result<UniqueFd> read_only_fd() const;

  // Gives memory back to the system, but for what jobs of usual size use.
  void trim() const;

 private:
  SharedArea(UniqueFd fd, SharedMapping mapping)
      : fd_(std::move(fd)), mapping_(std::move(mapping)) {}
  UniqueFd fd_;
  SharedMapping mapping_;
};

}  // namespace thumb
