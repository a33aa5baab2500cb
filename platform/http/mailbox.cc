#include "platform/http/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace thumb::http {

Mailbox::Mailbox() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Mailbox::wake() {
  const std::uint64_t one = 1;
  // Fails only where the counter is full, and then the reactor is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_.get(), &one, sizeof(one));
}

void Mailbox::post(ConnectionId to, Response response) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    was_empty = letters_.empty();
    letters_.push_back({to, std::move(response)});
  }
  if (was_empty) wake();
}

std::vector<Mailbox::Letter> Mailbox::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(event_fd_.get(), &count, sizeof(count));
  std::vector<Letter> letters;
  const std::lock_guard lock(mutex_);
  letters.swap(letters_);
  return letters;
}

void Mailbox::close() {
  std::vector<Letter> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(letters_);
}

}  // namespace thumb::http
