#include "platform/http/outbox.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace thumb::http {
namespace {

constexpr std::size_t kBlobPiece = std::size_t{64} * 1024;
constexpr std::size_t kTurnBytes = std::size_t{1024} * 1024;  // then another connection's turn
constexpr std::size_t kSmallBody =
    std::size_t{4} * 1024;  // cheaper to copy behind the head than to gather
constexpr std::size_t kKeptCapacity =
    std::size_t{8} * 1024;  // what an idle connection may hold on to

}  // namespace

std::string& Outbox::head() {
  if (head_sent_ == head_.size()) {
    head_.clear();
    head_sent_ = 0;
  }
  return head_;
}

void Outbox::attach(std::variant<std::string, BlobBody, StreamBody> body) {
  if (auto* text = std::get_if<std::string>(&body)) {
    if (text->size() <= kSmallBody) {
      head_.append(*text);
    } else {
      text_ = std::move(*text);
      text_sent_ = 0;
    }
  } else if (auto* blob = std::get_if<BlobBody>(&body); blob != nullptr && blob->length > 0) {
    blob_ = std::move(*blob);
  }
}

// Puts the blob's next piece behind what is left of the head, so that a small blob goes out with it
// in one call.
bool Outbox::refill() {
  if (!blob_ || head_.size() - head_sent_ >= kSmallBody) return true;
  head_.erase(0, head_sent_);
  head_sent_ = 0;
  const std::size_t old_size = head_.size();
  const std::size_t wanted = std::min<std::uint64_t>(blob_->length, kBlobPiece);
  head_.resize(old_size + wanted);
  const auto read = blob_->blob->read_at(
      blob_->offset, std::as_writable_bytes(std::span(head_).subspan(old_size)));
  // A blob shorter than promised can't be mended: the head with its length is out already.
  if (!read || *read == 0) return false;
  head_.resize(old_size + *read);
  blob_->offset += *read;
  blob_->length -= *read;
  if (blob_->length == 0) blob_.reset();
  return true;
}

void Outbox::advance(std::size_t bytes) {
  const std::size_t of_head = std::min(bytes, head_.size() - head_sent_);
  head_sent_ += of_head;
  text_sent_ += bytes - of_head;
  if (head_sent_ == head_.size() && head_.capacity() > kKeptCapacity && !blob_) {
    std::string().swap(head_);
    head_sent_ = 0;
  }
  if (text_sent_ == text_.size()) {
    std::string().swap(text_);
    text_sent_ = 0;
  }
}

Outbox::Outcome Outbox::flush(int fd, std::size_t& sent) {
  for (std::size_t turn = 0; turn < kTurnBytes;) {
    if (!refill()) return Outcome::kBroken;
    std::array<iovec, 2> pieces{
        iovec{head_.data() + head_sent_, head_.size() - head_sent_},
        iovec{text_.data() + text_sent_, text_.size() - text_sent_},
    };
    if (pieces[0].iov_len + pieces[1].iov_len == 0) return Outcome::kDrained;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t taken = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::kBlocked : Outcome::kBroken;
    }
    advance(static_cast<std::size_t>(taken));
    sent += static_cast<std::size_t>(taken);
    turn += static_cast<std::size_t>(taken);
  }
  return empty() ? Outcome::kDrained : Outcome::kMore;
}

}  // namespace thumb::http
