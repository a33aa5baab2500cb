// ViewReader over the projector's folder on the same machine, followed while the projector writes.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/log.h"
#include "state_projector/folder_watch.h"
#include "state_projector/positions.h"
#include "state_projector/view_folder.h"
#include "state_projector/view_reader.h"
#include "state_projector/waiters.h"

namespace thumb {

class RocksFollower;

struct LocalViewOptions {
  std::filesystem::path view_dir;  // CommonSettings::view_dir()
  // The kernel tells when the projector has written. Its files are then read (about 1.3 ms of CPU),
  // but not again before this time has passed: single changes are seen at once, and a stream of
  // them, each look finding another, is read in larger steps. Where the kernel doesn't tell
  // (another machine writes, or inotify is used up) they are looked at as often.
  std::chrono::milliseconds quiet_interval{4};      // nobody waits, few changes
  std::chrono::milliseconds busy_interval{30};      // nobody waits, one change after the other
  std::chrono::milliseconds eager_interval{2};      // somebody waits for a position
  std::chrono::milliseconds pointer_interval{200};  // without a view: is there one now?
  // Whatever the kernel says: does it tell at all, does another view serve?
  std::chrono::milliseconds full_look_interval{1000};
};

// Any number of processes may follow one folder. Owns a thread; reads are answered on the caller's.
// Before there is a view every call says "view-unavailable", and wait_for waits; the view is taken
// up as soon as it appears. While nothing is written and nobody asks it sleeps. While the projector
// is away the last state is served; it is also served while the folder is gone, until another view
// is there. Positions are those of the last complete catch-up, so a row read after them is at least
// as new.
class LocalViewReader final : public ViewReader {
 public:
  // `log` must outlive it.
  LocalViewReader(LocalViewOptions options, Log& log);
  // Tells every waiter false.
  ~LocalViewReader() override;
  LocalViewReader(const LocalViewReader&) = delete;
  LocalViewReader& operator=(const LocalViewReader&) = delete;

  [[nodiscard]] Result<std::optional<ImageRow>> get(const ImageId& id) override;
  [[nodiscard]] Result<ListPage> list(const ListQuery& query) override;
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(const ImageId& id) override;
  [[nodiscard]] Result<ViewStats> stats() override;
  [[nodiscard]] Result<ChangePage> changes(std::uint64_t after, std::size_t limit) override;
  [[nodiscard]] Result<std::int64_t> position(Topic topic, std::int32_t partition) override;
  void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset, Deadline deadline,
                std::function<void(bool reached)> done) override;
  void wait_for_change(std::uint64_t after, Deadline deadline,
                       std::function<void(bool changed)> done) override;

 private:
  // What readers see, replaced as a whole.
  struct Serving {
    std::shared_ptr<RocksFollower> follower;
    std::string view_id;
    Positions places;  // positions, and the number of the newest change

    [[nodiscard]] std::uint64_t newest_change() const;
  };

  [[nodiscard]] std::shared_ptr<const Serving> serving() const;
  [[nodiscard]] Result<std::shared_ptr<const Serving>> serving_or_error() const;
  [[nodiscard]] Result<void> publish(std::shared_ptr<RocksFollower> follower,
                                     const std::string& view_id);
  void run(const std::stop_token& stop);
  void refresh();
  [[nodiscard]] Result<void> follow_pointer();
  [[nodiscard]] Result<void> open(const std::string& view_id);
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] std::chrono::milliseconds next_interval(bool eager) const;
  [[nodiscard]] Deadline next_look(bool eager) const;
  void sleep();
  void mistrust_silence();
  void settle();
  void close_retired();
  void report(const Result<void>& outcome);
  void wait(const Waiters::Wanted& wanted, std::function<void(bool)> done);

  const LocalViewOptions options_;
  const ViewFolder folder_;
  Log& log_;

  mutable std::mutex serving_mutex_;  // held to copy or swap the pointer only
  std::shared_ptr<const Serving> serving_;
  Waiters waiters_;

  FolderWatch watch_;

  // Of the thread alone (and of the constructor before it).
  // Replaced, and perhaps still read from. Closing one takes milliseconds: the thread does it, not
  // the reader who happens to be the last, with others waiting behind it.
  std::vector<std::shared_ptr<RocksFollower>> retired_;
  bool watching_ = false;  // the kernel tells of every change
  bool deaf_ = false;      // it was found not to
  bool noticed_ = false;   // it told of one that was not read yet
  int silent_changes_ = 0;
  bool must_read_ = false;  // at this look, whatever the files say
  bool failed_ = false;     // the last look
  Deadline last_look_;
  bool feed_began_anew_ = false;
  std::string last_problem_;
  Deadline next_pointer_look_;
  Deadline next_full_look_;
  int looks_with_change_ = 0;  // in a row, up to the last
  std::jthread thread_;        // last: starts when all else is there
};

}  // namespace thumb
