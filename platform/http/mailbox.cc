#include "platform/http/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

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
    was_empty = mail_.letters.empty();
    mail_.letters.push_back({to, std::move(response)});
  }
  if (was_empty) wake();
}

void Mailbox::stir(ConnectionId to) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    was_empty = mail_.stirred.empty();
    mail_.stirred.push_back(to);
  }
  if (was_empty) wake();
}

void Mailbox::hand_over(const Arrival& arrival) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      ::close(arrival.fd);
      return;
    }
    mail_.arrivals.push_back(arrival);
  }
  wake();
}

Mailbox::Mail Mailbox::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(event_fd_.get(), &count, sizeof(count));
  const std::lock_guard lock(mutex_);
  return std::exchange(mail_, {});
}

void Mailbox::close() {
  Mail dropped;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    std::swap(dropped, mail_);
  }
  for (const Arrival& arrival : dropped.arrivals) ::close(arrival.fd);
}

}  // namespace thumb::http
