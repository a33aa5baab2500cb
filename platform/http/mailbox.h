// What other threads give to a reactor thread: answers for its connections, word that a stream was
// written to, and new connections.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/file_io.h"
#include "platform/http/message.h"

namespace thumb::http {

// Names a connection for longer than it lives: descriptors are used again, serials are not.
struct ConnectionId {
  int fd = -1;
  std::uint64_t serial = 0;
  friend bool operator==(const ConnectionId&, const ConnectionId&) = default;
};

// One per reactor; shared with every Responder of its connections, so it may outlive the reactor.
class Mailbox {
 public:
  struct Letter {
    ConnectionId to;
    Response response;
  };
  struct Arrival {
    int fd = -1;  // owned
    sockaddr_storage peer{};
  };
  struct Mail {
    std::vector<Letter> letters;
    std::vector<Arrival> arrivals;
    std::vector<ConnectionId> stirred;  // their streams have something to take
  };

  Mailbox();
  ~Mailbox() { close(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Readable when there is something to take, or after wake().
  [[nodiscard]] int event_fd() const { return event_fd_.get(); }

  // Thread-safe. Dropped once the mailbox is closed. Bounded by the connections: each has at most
  // one answer under way.
  void post(ConnectionId to, Response response);
  // Thread-safe. Dropped once the mailbox is closed. Bounded by the streams: each is told of once
  // until it is looked at.
  void stir(ConnectionId to);
  // Thread-safe. Closes the descriptor if the mailbox is closed.
  void hand_over(const Arrival& arrival);
  // Thread-safe. Makes the reactor look around.
  void wake();

  // Reactor thread only.
  [[nodiscard]] Mail take();
  void adopt_this_thread() { owner_.store(std::this_thread::get_id()); }
  [[nodiscard]] bool on_owner_thread() const {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  // Thread-safe. Drops what is left and all that comes later.
  void close();

 private:
  UniqueFd event_fd_;
  std::atomic<std::thread::id> owner_{};
  std::mutex mutex_;
  Mail mail_;
  bool closed_ = false;
};

}  // namespace thumb::http
