#include "platform/http/stream_buffer.h"

#include <utility>

namespace thumb::http {

bool StreamBuffer::write(std::string_view text) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_ || overflowed_) return false;
    taken = text.size() <= room_locked();
    if (taken) {
      text_.append(text);
    } else {
      overflowed_ = true;
    }
    if (std::exchange(told_, true)) return taken;
  }
  mailbox_->stir(connection_);
  return taken;
}

std::size_t StreamBuffer::room_locked() const {
  const std::size_t held = text_.size() + taken_;
  return held < limit_ ? limit_ - held : 0;
}

std::size_t StreamBuffer::room() const {
  const std::lock_guard lock(mutex_);
  return closed_ || ended_ || overflowed_ ? 0 : room_locked();
}

void StreamBuffer::end() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || std::exchange(ended_, true) || std::exchange(told_, true)) return;
  }
  mailbox_->stir(connection_);
}

bool StreamBuffer::is_open() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && !ended_ && !overflowed_;
}

StreamBuffer::Taken StreamBuffer::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  Taken taken{std::exchange(text_, {}), ended_, overflowed_};
  taken_ = taken.text.size();
  return taken;
}

void StreamBuffer::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  std::string().swap(text_);
}

}  // namespace thumb::http
