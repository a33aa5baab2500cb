#include "processor/sandbox/shared_area.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace thumb {
namespace {

constexpr std::uint64_t kKeptBytes = 1U << 20U;

}  // namespace

Result<SharedMapping> SharedMapping::of(int fd, Access access) {
  struct stat about {};
  if (fstat(fd, &about) != 0) return io_failure("fstat of shared memory", errno);
  const auto size = static_cast<std::size_t>(about.st_size);
  const int rights = access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* start = mmap(nullptr, size, rights, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return io_failure("mmap of shared memory", errno);
  return SharedMapping({static_cast<std::byte*>(start), size});
}

SharedMapping::~SharedMapping() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

SharedMapping::SharedMapping(SharedMapping&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})) {}

SharedMapping& SharedMapping::operator=(SharedMapping&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

Result<SharedArea> SharedArea::create(const char* name, std::uint64_t size,
                                      SharedMapping::Access ours) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return io_failure("memfd_create", errno);
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return io_failure("shared memory", errno);
  }
  return SharedMapping::of(fd.get(), ours).map([&](SharedMapping mapping) {
    return SharedArea(std::move(fd), std::move(mapping));
  });
}

// Not F_SEAL_FUTURE_WRITE, which would serve too: the kernel then refuses to punch holes (trim).
Result<UniqueFd> SharedArea::read_only_fd() const {
  const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return io_failure("shared memory for reading", errno);
  return fd;
}

void SharedArea::trim() const {
  const std::size_t size = bytes().size();
  if (size <= kKeptBytes) return;
  // A refusal costs memory until the worker is replaced, and nothing else.
  [[maybe_unused]] const int refused =
      fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kKeptBytes,
                static_cast<off_t>(size - kKeptBytes));
}

}  // namespace thumb
