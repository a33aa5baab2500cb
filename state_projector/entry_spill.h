// Sorted pairs in a file, for what a bulk build has no memory for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "platform/file_io.h"
#include "state_projector/entry_cursor.h"

namespace thumb {

// The file has no name any more once this exists: it goes away with it, whatever happens.
class EntrySpill {
 public:
  // Writes all of `entries` to a new file in `folder`. Errors: those of the file system (back off).
  [[nodiscard]] static Result<EntrySpill> write(const std::filesystem::path& folder,
                                                EntryCursor& entries);

  // From the first key >= `from` on. For any thread.
  [[nodiscard]] Result<std::unique_ptr<EntryCursor>> cursor(std::string_view from) const;

 private:
  struct Mark {
    std::string key;
    std::uint64_t at = 0;
  };
  explicit EntrySpill(UniqueFd file) : file_(std::move(file)) {}

  UniqueFd file_;
  std::uint64_t size_ = 0;
  std::vector<Mark> marks_;  // of some keys where they stand
};

}  // namespace thumb
