// mkdtemp for the name, flock for the proof of life.
#include "state_projector/scratch_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace thumb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "thumb-view-";
constexpr std::string_view kLockName = "owner.lock";

// Between mkdtemp and flock a folder has no lock yet.
bool is_old(const fs::path& folder) {
  std::error_code error;
  const auto changed = fs::last_write_time(folder, error);
  return !error && fs::file_time_type::clock::now() - changed > std::chrono::minutes(1);
}

void remove_abandoned(const fs::path& parent) {
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with(kPrefix) || !is_old(at->path())) continue;
    // Ours alone: mkdtemp makes them 0700, so those of other users can't be opened.
    const auto lock = lock_file(at->path() / kLockName);
    std::error_code ignored;
    if (lock) fs::remove_all(at->path(), ignored);
  }
}

}  // namespace

Result<UniqueFd> lock_file(const fs::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return io_failure("open " + file.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_failure("lock " + file.string(), errno);
    return fail(ErrorKind::kConflict, "locked", "another process holds it", file.string());
  }
  return fd;
}

Result<ScratchFolder> ScratchFolder::make(const fs::path& parent) {
  remove_abandoned(parent);
  auto name = (parent / (std::string(kPrefix) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr)
    return io_failure("make a folder in " + parent.string(), errno);
  auto lock = lock_file(fs::path(name) / kLockName);
  if (!lock) return Failure(std::move(lock.error()));
  return ScratchFolder(name, std::move(*lock));
}

ScratchFolder::ScratchFolder(fs::path path, UniqueFd lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace thumb
