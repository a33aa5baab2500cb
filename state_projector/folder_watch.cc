// inotify(7).
#include "state_projector/folder_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace thumb {
namespace {

constexpr std::uint32_t kRootMask =
    IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kViewMask =
    IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR;

timespec until_now(Deadline until) {
  const auto left = std::max(until - std::chrono::steady_clock::now(), Deadline::duration(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(left - seconds);
  return {.tv_sec = seconds.count(), .tv_nsec = rest.count()};
}

// Of growing files only the WAL says something new; table files are told of when they are done.
bool is_data(std::uint32_t mask, std::string_view name) {
  return (mask & IN_MODIFY) == 0 || name.ends_with(".log");
}

}  // namespace

FolderWatch::FolderWatch()
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

bool FolderWatch::watch_root(const std::filesystem::path& root) {
  if (root_ < 0 && inotify_.valid()) {
    root_ = ::inotify_add_watch(inotify_.get(), root.c_str(), kRootMask);
  }
  return root_ >= 0;
}

bool FolderWatch::watch_view(const std::filesystem::path& view) {
  if (!inotify_.valid()) return false;
  if (view_ >= 0 && view == view_path_) return true;
  if (view_ >= 0) ::inotify_rm_watch(inotify_.get(), view_);
  view_ = ::inotify_add_watch(inotify_.get(), view.c_str(), kViewMask);
  view_path_ = view;
  return view_ >= 0;
}

FolderWatch::Seen FolderWatch::wait(Deadline until, bool heed_files) {
  std::array<pollfd, 2> watched{pollfd{event_fd_.get(), POLLIN, 0},
                                pollfd{inotify_.get(), POLLIN, 0}};
  const timespec left = until_now(until);
  ::ppoll(watched.data(), heed_files && inotify_.valid() ? 2 : 1, &left, nullptr);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t woken = ::read(event_fd_.get(), &count, sizeof(count));
  Seen seen;
  if (heed_files && inotify_.valid()) take_events(seen);
  return seen;
}

void FolderWatch::take_events(Seen& seen) {
  alignas(inotify_event) std::array<char, std::size_t{16} * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* const name = buffer.data() + at + sizeof(event);
      at += sizeof(event) + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) seen.pointer = seen.data = true;
      if (event.wd == view_) {
        seen.data = seen.data || is_data(event.mask, event.len > 0 ? name : "");
        if ((event.mask & IN_IGNORED) != 0) view_ = -1;
      } else if (event.wd == root_) {
        seen.pointer = true;
        if ((event.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(inotify_.get(), root_);
        if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) root_ = -1;
      }
    }
  }
}

void FolderWatch::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_fd_.get(), &one, sizeof(one));
}

}  // namespace thumb
