// A connection while its answer is a stream: takes what the source wrote, at the client's pace.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <utility>

#include "platform/http/connection.h"

namespace thumb::http {
namespace {

// What the kernel holds for one listener, so that thousands of slow ones stay within bounds; it
// takes twice this for its own books (socket(7)).
constexpr int kSendBufferBytes = 64 * 1024;
// A client whose machine went away without a word sends no FIN: it is missed when it leaves probes,
// or bytes, unacknowledged for about a minute.
constexpr int kProbeAfterSeconds = 30;
constexpr int kProbeEverySeconds = 10;
constexpr int kProbes = 3;
constexpr int kUnacknowledgedMs = 60'000;

void set(int fd, int level, int option, int value) {
  // Best effort: without it the write time-out still holds.
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

void prepare_socket(int fd) {
  set(fd, SOL_SOCKET, SO_SNDBUF, kSendBufferBytes);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbeEverySeconds);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMs);
}

}  // namespace

// REQUIRES: a slot was taken.
void Connection::start_stream(StreamBody body) {
  stream_ = std::make_shared<StreamBuffer>(env_.mailbox, id_, body.max_buffered);
  source_ = std::move(body.source);
  chunked_ = !exchange_.http10;
  request_ = {};  // may be held for hours
  prepare_socket(id_.fd);
  phase_ = Phase::kStreaming;
  count_exchange();
  source_->opened(stream_);
  if (env_.stopping) stream_->end();
  if (peer_closed_) close();
}

void Connection::on_stirred() {
  if (phase_ == Phase::kStreaming) pump();
}

// True if something else can be done now.
bool Connection::stream_step() {
  if (!outbox_.empty()) return write_step();
  StreamBuffer::Taken taken = stream_->take();
  if (taken.overflowed) {
    drop_stream();
    return false;
  }
  if (taken.text.empty() && !taken.ended) {
    deadline_ = Deadline::max();
    source_->drained();
    return false;
  }
  deadline_ = env_.now + env_.options.write_timeout;
  append_chunk(taken.text);
  if (!taken.ended) return true;
  if (chunked_) outbox_.head().append("0\r\n\r\n");
  phase_ = Phase::kWriting;
  end_stream();
  return true;
}

// REQUIRES: the outbox is empty.
void Connection::append_chunk(std::string_view text) {
  if (text.empty()) return;
  std::string& out = outbox_.head();
  if (!chunked_) {
    out.append(text);
    return;
  }
  std::array<char, 16> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
  out.append(size.data(), end).append("\r\n").append(text).append("\r\n");
}

void Connection::drop_stream() {
  env_.streams.count_dropped();
  cut();
}

void Connection::end_stream() {
  if (!stream_) return;
  std::exchange(stream_, nullptr)->close();
  env_.streams.give_back();
  std::exchange(source_, nullptr)->closed();
}

}  // namespace thumb::http
