// Unlinking a file frees all its blocks at once. ext4 mounted with `discard`, without a journal,
// tells the disk of each extent and waits (ext4_free_blocks, blkdev_issue_discard): 20 ms for 110
// MB, in which other reads of that disk wait as well. So files are shortened first, as RocksDB's
// DeleteScheduler does (bytes_max_delete_chunk).
#include "platform/file_removal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "platform/file_io.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

// The kernel gives a write lease only for a file that nobody else has open (fcntl(2)). File systems
// that have no leases say no, and files go there as they do anywhere.
bool is_open_elsewhere(int fd) {
  // Should somebody open it just now: the lease's holder is sent SIGIO, which ends a process, but
  // for another choice. This one is ignored by default.
  ::fcntl(fd, F_SETSIG, SIGURG);
  if (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return true;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

// False if `go_on` has ended it.
bool cut_down(const fs::path& file, std::uint64_t slice_bytes, const GoOn& go_on) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return true;
  if (info.st_nlink != 1 || is_open_elsewhere(fd.get())) return true;
  for (auto left = static_cast<std::uint64_t>(info.st_size); left > slice_bytes;) {
    left -= slice_bytes;
    if (::ftruncate(fd.get(), static_cast<off_t>(left)) != 0) return true;
    if (!go_on()) return false;
  }
  return true;
}

}  // namespace

Result<void> remove_in_slices(const fs::path& folder, std::uint64_t slice_bytes,
                              const GoOn& go_on) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    if (!fs::is_regular_file(at->symlink_status(gone))) continue;
    if (!go_on() || !cut_down(at->path(), slice_bytes, go_on)) return {};
    if (::unlink(at->path().c_str()) != 0 && errno != ENOENT) {
      return io_failure("remove " + at->path().string(), errno);
    }
  }
  if (!error || error == std::errc::no_such_file_or_directory) fs::remove_all(folder, error);
  if (error) return io_failure("remove " + folder.string(), error.value());
  return {};
}

}  // namespace thumb
