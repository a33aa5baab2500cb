// Which views lie in the view folder, and which one serves.
//
//   <root>/current       names the view that readers open: "v-<view id>"
//   <root>/next          names the one being built to replace it, if any
//   <root>/previous      names the one that served before, kept to go back to, if any
//   <root>/wanted        there while one is to be made, before `next` names it: "rebuild", from the
//                        log, or "restore", from a checkpoint
//   <root>/v-<view id>/  a view
//   <root>/gone-<view id>/  one that nobody names any more, until it is removed
//   <root>/lock          held by the one process that writes here
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "platform/file_io.h"
#include "platform/file_removal.h"
#include "platform/result.h"

namespace thumb {

// Thread-safe; holds nothing open. Errors are those of the file system (kUnavailable, back off).
class ViewFolder {
 public:
  explicit ViewFolder(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path path_of(const std::string& view_id) const;
  [[nodiscard]] std::filesystem::path pointer() const { return root_ / "current"; }

  // Ids of the serving view, of the one in the making and of the one that served before; empty if
  // the pointer names none.
  [[nodiscard]] Result<std::optional<std::string>> current() const;
  [[nodiscard]] Result<std::optional<std::string>> next() const;
  [[nodiscard]] Result<std::optional<std::string>> previous() const;

  // Makes the root and takes the lock for as long as the descriptor lives.
  // kConflict/"view-in-use" if another process writes here.
  [[nodiscard]] Result<UniqueFd> lock() const;

  // What a view is to be made from that is not there yet: copying a checkpoint takes its time.
  enum class Wanted { kNothing, kRebuild, kRestore };
  [[nodiscard]] Result<Wanted> wanted() const;

  // The following need the lock. A crash between two of them is mended by calling them again.
  [[nodiscard]] Result<void> want(Wanted what) const;
  // Whatever was wanted is this.
  [[nodiscard]] Result<void> set_next(const std::string& view_id) const;
  // Readers follow within moments. The view that served becomes the previous one.
  [[nodiscard]] Result<void> publish(const std::string& view_id) const;
  // Nothing is built or wanted any more, or kept to go back to; tidy() or put_aside() then takes
  // what no file names.
  [[nodiscard]] Result<void> forget_next() const;
  [[nodiscard]] Result<void> forget_previous() const;
  // Removes `next` and `previous` if they say what `current` says, and every view that none names.
  [[nodiscard]] Result<void> tidy() const;
  // The same, but such views only get another name, which takes no time: remove_put_aside() does
  // the rest. Who has one open reads on.
  [[nodiscard]] Result<void> put_aside() const;
  // As remove_in_slices() (platform/file_removal.h) of each.
  [[nodiscard]] Result<void> remove_put_aside(std::uint64_t slice_bytes, const GoOn& go_on) const;

 private:
  [[nodiscard]] Result<std::optional<std::string>> read_pointer(
      const std::filesystem::path& file) const;
  [[nodiscard]] Result<void> remove_pointer(const std::string& name) const;
  std::filesystem::path root_;
};

// A new view's id: a UUID, its text.
[[nodiscard]] std::string make_view_id();

}  // namespace thumb
