// A private folder that goes away with its owner, also when the owner was killed.
#pragma once

#include <filesystem>

#include "platform/file_io.h"

namespace thumb {

// Movable. Holds a lock on a file inside while it lives; make() removes what killed processes left
// under the same parent, which it knows by that lock being free.
class ScratchFolder {
 public:
  // Errors: kUnavailable (back off).
  [[nodiscard]] static Result<ScratchFolder> make(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  ScratchFolder(std::filesystem::path path, UniqueFd lock);
  std::filesystem::path path_;  // empty once moved from
  UniqueFd lock_;
};

// Takes the lock of `file`, which is made if need be, for as long as the descriptor lives (flock:
// the kernel frees it when the process dies). kConflict/"locked" if another process holds it.
[[nodiscard]] Result<UniqueFd> lock_file(const std::filesystem::path& file);

}  // namespace thumb
