// What was written to a stream and waits for its connection: the bound between writers on any
// thread and one client's pace.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "platform/http/mailbox.h"
#include "platform/http/stream.h"

namespace thumb::http {

// Tells its connection through the mailbox when there is something to take, once until it is taken.
class StreamBuffer final : public StreamWriter {
 public:
  StreamBuffer(std::shared_ptr<Mailbox> mailbox, ConnectionId connection, std::size_t limit)
      : mailbox_(std::move(mailbox)), connection_(connection), limit_(limit) {}

  bool write(std::string_view text) override;
  [[nodiscard]] std::size_t room() const override;
  void end() override;
  [[nodiscard]] bool is_open() const override;

  struct Taken {
    std::string text;
    bool ended = false;       // nothing comes after it
    bool overflowed = false;  // the client is too slow
  };
  // Reactor thread. What was taken before counts as sent.
  [[nodiscard]] Taken take();
  // Reactor thread. Writers see the end from now on.
  void close();

 private:
  [[nodiscard]] std::size_t room_locked() const;

  const std::shared_ptr<Mailbox> mailbox_;
  const ConnectionId connection_;
  const std::size_t limit_;

  mutable std::mutex mutex_;
  std::string text_;
  std::size_t taken_ = 0;  // bytes of the last take(), on their way to the kernel
  bool told_ = false;      // the connection knows
  bool ended_ = false;
  bool overflowed_ = false;
  bool closed_ = false;
};

}  // namespace thumb::http
