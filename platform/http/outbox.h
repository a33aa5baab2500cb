// What a connection still has to send: the bytes of a head, then a body that is text in memory or a
// blob read in pieces as the client takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/message.h"

namespace thumb::http {

// One per connection; not thread-safe. Holds at most one piece (64 KiB) of a blob.
class Outbox {
 public:
  enum class Outcome {
    kDrained,  // nothing is left
    kBlocked,  // the kernel takes no more for now
    kMore,     // the turn's share was sent: let other connections go first
    kBroken,   // the client is gone, or the blob can't be read: cut the connection
  };

  [[nodiscard]] bool empty() const { return head_.size() == head_sent_ && !body_left(); }

  // Where to append the next head. REQUIRES: no body is being sent.
  [[nodiscard]] std::string& head();
  // What follows the head.
  // REQUIRES: not a stream, whose text goes through head() piece by piece.
  void attach(std::variant<std::string, BlobBody, StreamBody> body);

  // Sends as much as goes. `sent` grows by what the kernel took.
  [[nodiscard]] Outcome flush(int fd, std::size_t& sent);

 private:
  [[nodiscard]] bool body_left() const { return text_sent_ < text_.size() || blob_.has_value(); }
  [[nodiscard]] bool refill();
  void advance(std::size_t bytes);

  std::string head_;  // also the pieces of a blob
  std::size_t head_sent_ = 0;
  std::string text_;
  std::size_t text_sent_ = 0;
  std::optional<BlobBody> blob_;
};

}  // namespace thumb::http
