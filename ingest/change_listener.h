// One listener of the hub, and the letters that its stream sends there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ingest/change_hub.h"

namespace thumb::ingest {

// Written at once. A stream holds four of them (http::StreamBody::max_buffered).
inline constexpr std::size_t kBlockBytes = std::size_t{16} * 1024;

// Can a listener, of one image or of all, go on from its place in the feed that `page` is of?
[[nodiscard]] bool can_go_on(const FeedPlace& place, bool one_image, const ChangePage& page);

// What happened since the hub's thread looked last.
struct ChangeHub::Letters {
  bool changed = false;  // the feed, perhaps
  std::vector<ListenerPtr> opened;
  std::vector<ListenerPtr> drained;
  std::vector<ListenerPtr> closed;
};

// Thread-safe. Its letters hold listeners, which hold it: whoever reads it closes it at the end.
struct ChangeHub::Mail {
  std::mutex mutex;
  std::condition_variable_any came;
  Letters letters;
  bool any = false;
  bool armed = false;  // the view has been asked to tell of the next change
  bool closed = false;

  template <typename Write>
  void post(const Write& write) {
    {
      const std::lock_guard lock(mutex);
      if (closed) return;
      write(letters);
      any = true;
    }
    came.notify_one();
  }
  // Drops what was not read and all that comes later.
  void close() {
    Letters unread;  // destroyed outside the lock
    const std::lock_guard lock(mutex);
    closed = true;
    std::swap(unread, letters);
  }
};

// The source of a stream. Its calls come on a reactor thread and only leave letters; all else is
// the hub's thread's.
class ChangeHub::Listener final : public http::StreamSource,
                                  public std::enable_shared_from_this<Listener> {
 public:
  Listener(std::shared_ptr<Mail> mail, Subscription subscription)
      : wanted(std::move(subscription)), mail_(std::move(mail)) {}

  void opened(std::shared_ptr<http::StreamWriter> stream) override {
    writer = std::move(stream);  // before the letter: the hub reads it behind the lock
    mail_->post([&](Letters& letters) { letters.opened.push_back(shared_from_this()); });
  }
  void drained() override {
    if (!wants_room.exchange(false)) return;
    mail_->post([&](Letters& letters) { letters.drained.push_back(shared_from_this()); });
  }
  void closed() override {
    mail_->post([&](Letters& letters) { letters.closed.push_back(shared_from_this()); });
  }

  Subscription wanted;  // its place moves on
  std::shared_ptr<http::StreamWriter> writer;
  bool behind = true;
  std::optional<Deadline> ahead_until;  // its place was past the edge of the feed
  // What the listener was told of the image's state. The row may be newer than the place: steps
  // that lead up to it are not told after it.
  std::optional<ViewChange> told;
  std::atomic<bool> wants_room{false};

  // A deletion is the last that there is to tell of an image.
  [[nodiscard]] bool is_told_of_the_end() const {
    return told && told->state == ImageState::kDeleted;
  }
  // Of a single image: is this change to be told?
  [[nodiscard]] bool wants(const ViewChange& change) {
    if (!wanted.image) return true;
    if (*wanted.image != change.id) return false;
    const bool known =
        told && change.state != ImageState::kDeleted &&
        std::pair(change.generation, change.state) <= std::pair(told->generation, told->state);
    if (!known) told.reset();
    return !known;
  }

 private:
  const std::shared_ptr<Mail> mail_;
};

}  // namespace thumb::ingest
