// What a connection receives, up to the framer's steps; what they mean stands in connection.cc.
#include <sys/socket.h>

#include <cerrno>
#include <functional>

#include "platform/http/connection.h"
#include "platform/http/problem.h"

namespace thumb::http {
namespace {

// Kept of the buffer between turns, once it is empty.
constexpr std::size_t kKeptCapacity = std::size_t{8} * 1024;

}  // namespace

bool Connection::read_step() {
  if (!outbox_.empty() && !write_step()) return false;  // "100 Continue"
  if (starved_ && !receive()) return phase_ == Phase::kWriting;
  while (phase_ == Phase::kHead || phase_ == Phase::kBody) {
    if (phase_ == Phase::kHead && !head_started_) {
      head_started_ = true;
      deadline_ = env_.now + env_.options.header_timeout;
    }
    const FrameStep step = framer_.next(input_);
    input_.remove_prefix(step.consumed);
    switch (step.kind) {
      case FrameStep::Kind::kNeedMore:
        starved_ = true;
        return true;
      case FrameStep::Kind::kHead:
        on_head();
        break;
      case FrameStep::Kind::kBody:
        on_body(step.body);
        break;
      case FrameStep::Kind::kEnd:
        on_request_end();
        break;
      case FrameStep::Kind::kError: {
        const FramingError& error = framer_.error();
        exchange_.method = framer_.method();
        exchange_.received = false;
        respond(problem(error.status, error.code, error.message));
        break;
      }
    }
  }
  return true;
}

// Gets more input; false if there is none.
bool Connection::receive() {
  if (end_of_input_) {
    on_end_of_input();
    return false;
  }
  if (!input_ready_) return false;
  keep_input();
  const ssize_t got = ::recv(id_.fd, env_.scratch.data(), env_.scratch.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EINTR) return receive();
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    input_ready_ = false;
    return false;
  }
  if (got == 0) {
    end_of_input_ = true;
    on_end_of_input();
    return false;
  }
  const auto size = static_cast<std::size_t>(got);
  // A short read has emptied the socket, unless the end of the stream is still to be read; both
  // come as edges (epoll(7)).
  input_ready_ = size == env_.scratch.size() || peer_closed_;
  const std::string_view fresh(env_.scratch.data(), size);
  if (input_.empty()) {
    input_ = fresh;
  } else {
    pending_.erase(0, pending_.size() - input_.size());
    pending_.append(fresh);
    input_ = pending_;
  }
  starved_ = false;
  return true;
}

// The scratch buffer serves other connections next: saves what lies in it.
void Connection::keep_input() {
  if (input_.empty()) {
    pending_.clear();
    if (pending_.capacity() > kKeptCapacity) std::string().swap(pending_);
    input_ = {};
    return;
  }
  const std::less<> before;
  const char* const begin = env_.scratch.data();
  const bool in_scratch =
      !before(input_.data(), begin) && before(input_.data(), begin + env_.scratch.size());
  if (!in_scratch) return;
  pending_.assign(input_);
  input_ = pending_;
}

void Connection::on_end_of_input() {
  if (phase_ != Phase::kBody) return close();
  respond(problem(400, "truncated-body", "The request ended before its body was complete."));
}

}  // namespace thumb::http
