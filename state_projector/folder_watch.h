// Tells a reader of the view that its writer has written, so that it need not look again and again.
#pragma once

#include <filesystem>

#include "platform/clock.h"
#include "platform/file_io.h"

namespace thumb {

// inotify over the view folder and the serving view in it. wake() is thread-safe, all else for one
// thread. Without inotify (none left to this user: fs.inotify.max_user_instances) nothing is ever
// seen, and only time and wake() end a wait.
class FolderWatch {
 public:
  FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches this folder for another pointer from now on; false if it can't be watched, or is not
  // there yet. Costs nothing while it is watched already.
  bool watch_root(const std::filesystem::path& root);
  // The same for the files of one view, in place of those of the last.
  bool watch_view(const std::filesystem::path& view);

  struct Seen {
    bool pointer = false;  // something came into the root, or the root went
    bool data = false;     // a WAL grew, files came or went, or there was too much to be told
  };
  // Sleeps until something is seen, wake() or the deadline. With `heed_files` false what is written
  // meanwhile ends no wait, and is told at the next.
  [[nodiscard]] Seen wait(Deadline until, bool heed_files);
  void wake();

 private:
  void take_events(Seen& seen);

  UniqueFd inotify_;
  UniqueFd event_fd_;
  int root_ = -1;  // watch descriptors
  int view_ = -1;
  std::filesystem::path view_path_;
};

}  // namespace thumb
