// A connection's answers, and its end: the last answer lingers until the client has seen it.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/http/connection.h"
#include "platform/http/problem.h"
#include "platform/http/response_head.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;

// After an early answer the client may go on sending for this many idle time-outs in all.
constexpr int kLingerTimeouts = 3;
constexpr milliseconds kLingerIdle{2'000};

// 0 for a stream, which has none.
std::uint64_t length_of(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  const auto* blob = std::get_if<BlobBody>(&response.body);
  return blob != nullptr ? blob->length : 0;
}

}  // namespace

// Every answer starts here. One given before the request was received whole is the connection's
// last: where the next request starts is not known.
void Connection::respond(Response response) {
  if (response.status < 200 || response.status > 599) {
    response = problem(500, "bad-status", "The server made a malformed answer.");
  }
  receiver_.reset();
  reservation_.release();
  const bool carried = carries_body(response.status, exchange_.method.value_or(Method::kGet));
  const bool streamed = std::holds_alternative<StreamBody>(response.body);
  if (streamed && carried && !env_.streams.try_take()) {
    return respond(problem(503, "too-many-streams", "The server has too many listeners."));
  }
  exchange_.status = response.status;
  keep_alive_ = exchange_.keep_alive && exchange_.received && !env_.stopping &&
                !(streamed && exchange_.http10);
  append_response_head(outbox_.head(), response,
                       {.body_length = length_of(response),
                        .streamed = streamed,
                        .keep_alive = keep_alive_,
                        .http10 = exchange_.http10,
                        .date = env_.date});
  phase_ = Phase::kWriting;
  deadline_ = env_.now + env_.options.write_timeout;
  if (!carried) return;
  if (streamed) return start_stream(std::move(std::get<StreamBody>(response.body)));
  outbox_.attach(std::move(response.body));
}

// Sends; true if something else can be done now.
bool Connection::write_step() {
  if (blocked_) return false;
  std::size_t sent = 0;
  const Outbox::Outcome outcome = outbox_.flush(id_.fd, sent);
  if (sent > 0 && (phase_ == Phase::kWriting || phase_ == Phase::kStreaming))
    deadline_ = env_.now + env_.options.write_timeout;
  switch (outcome) {
    case Outbox::Outcome::kDrained:
      if (phase_ == Phase::kWriting) finish_exchange();
      return true;
    case Outbox::Outcome::kMore:
      env_.ready.push_back(id_.fd);
      return false;
    case Outbox::Outcome::kBroken:
      cut();
      return false;
    case Outbox::Outcome::kBlocked:
      blocked_ = true;
      // Asked for at the first need only: most connections never fill the kernel's buffer.
      if (!std::exchange(watching_writes_, true)) env_.watch_writes(id_.fd);
      return false;
  }
  return false;
}

void Connection::count_exchange() {
  if (std::exchange(exchange_.counted, true)) return;
  const auto now = std::chrono::steady_clock::now();
  const auto started = exchange_.started.value_or(now);
  env_.counters.count(exchange_.method, exchange_.status, now - started);
}

void Connection::finish_exchange() {
  count_exchange();
  exchange_ = {};
  if (keep_alive_) return await_request();
  if (end_of_input_) return close();
  start_linger();
}

void Connection::await_request() {
  if (env_.stopping && input_.empty()) return close();
  framer_.reset();
  route_ = nullptr;
  head_started_ = false;
  starved_ = input_.empty();
  phase_ = Phase::kHead;
  deadline_ = env_.now + env_.options.keep_alive_timeout;
}

// Closing a socket that holds unread input makes the kernel send a reset, which may overtake the
// answer: a client in the midst of a large upload would never see its 413. So the connection is
// closed for sending, and what comes is dropped until the client closes too, within bounds.
void Connection::start_linger() {
  ::shutdown(id_.fd, SHUT_WR);
  input_ = {};
  phase_ = Phase::kLinger;
  linger_until_ = env_.now + kLingerTimeouts * env_.options.body_idle_timeout;
  linger_bytes_ = 4 * env_.options.max_body_bytes + env_.scratch.size();
  deadline_ = std::min(env_.now + kLingerIdle, linger_until_);
}

bool Connection::discard_step() {
  if (!input_ready_) return false;
  // MSG_TRUNC: the kernel drops the bytes without copying them (tcp(7)).
  const ssize_t got =
      ::recv(id_.fd, env_.scratch.data(), env_.scratch.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    input_ready_ = false;
    return false;
  }
  if (got == 0 || static_cast<std::uint64_t>(got) >= linger_bytes_) {
    close();
    return false;
  }
  linger_bytes_ -= static_cast<std::uint64_t>(got);
  deadline_ = std::min(env_.now + kLingerIdle, linger_until_);
  return true;
}

void Connection::close() {
  phase_ = Phase::kClosed;
  end_stream();
  receiver_.reset();
  reservation_.release();
}

// Closes with a reset: the kernel keeps nothing for a client that does not read.
void Connection::cut() {
  const struct linger abort { .l_onoff = 1, .l_linger = 0 };
  ::setsockopt(id_.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  close();
}

}  // namespace thumb::http
