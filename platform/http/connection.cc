#include "platform/http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/http/problem.h"
#include "platform/http/response_head.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Receives, answers and sends a connection may do before the others get their turn.
constexpr int kTurn = 32;
// A body must keep this pace on the whole, or it would hold its share of the budget for ever by
// one byte per idle time-out.
constexpr std::uint64_t kMinBodyBytesPerSecond = 1024;
// After an early answer the client may go on sending for this many idle time-outs in all.
constexpr int kLingerTimeouts = 3;
constexpr milliseconds kLingerIdle{2'000};
constexpr std::size_t kKeptCapacity = std::size_t{8} * 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// 0 for a stream, which has none.
std::uint64_t length_of(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  const auto* blob = std::get_if<BlobBody>(&response.body);
  return blob != nullptr ? blob->length : 0;
}

}  // namespace

// The way of an answer into its connection. One serves all requests of a connection, since a
// connection takes its next request only after the answer.
class Connection::Answers final : public Responder::Channel {
 public:
  Answers(std::shared_ptr<Mailbox> mailbox, ConnectionId id)
      : mailbox_(std::move(mailbox)), id_(id) {}

  void send(Response response) override {
    if (mailbox_->on_owner_thread() && handling_) {
      at_once_ = std::move(response);
    } else {
      mailbox_->post(id_, std::move(response));
    }
  }

  // Runs a handler; its answer, if it gave one before it returned.
  template <typename Call>
  std::optional<Response> answer_of(const Call& call) {
    handling_ = true;
    call();
    handling_ = false;
    return std::exchange(at_once_, std::nullopt);
  }

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  const ConnectionId id_;
  bool handling_ = false;  // these two belong to the reactor thread
  std::optional<Response> at_once_;
};

Connection::Connection(ConnectionEnv& env, ConnectionId id, std::string peer_address)
    : env_(env),
      id_(id),
      peer_address_(std::move(peer_address)),
      answers_(std::make_shared<Answers>(env.mailbox, id)),
      deadline_(env.now + env.options.keep_alive_timeout),
      framer_(env.framing),
      reservation_(env.budget) {}

Connection::~Connection() { end_stream(); }

void Connection::on_events(Events events) {
  if (events.hung_up) return close();
  peer_closed_ = peer_closed_ || events.peer_closed;
  input_ready_ = input_ready_ || events.readable || events.peer_closed;
  if (events.writable) blocked_ = false;
  if (peer_closed_ && phase_ == Phase::kStreaming) return close();
  pump();
}

void Connection::on_answer(Response response) {
  if (phase_ != Phase::kHandling) return;
  respond(std::move(response));
  pump();
}

void Connection::on_turn() { pump(); }

void Connection::on_tick() {
  if (env_.now < deadline_) return;
  switch (phase_) {
    case Phase::kHead:
      if (!head_started_) return close();
      respond(problem(408, "head-timeout", "The request's head did not come in time."));
      return pump();
    case Phase::kBody:
      respond(problem(408, "body-timeout", "The request's body did not come in time."));
      return pump();
    case Phase::kWriting:
      return cut();
    case Phase::kStreaming:
      return drop_stream();
    case Phase::kLinger:
      return close();
    case Phase::kHandling:
    case Phase::kClosed:
      return;
  }
}

void Connection::on_stop() {
  if (stream_) {
    stream_->end();
    keep_alive_ = false;
  }
  input_ready_ = true;  // a request that has arrived is in hand, though no event told of it yet
  pump();
  if (phase_ == Phase::kHead && !head_started_) close();
}

void Connection::turn_away() {
  respond(problem(503, "too-many-connections", "The server has too many connections."));
  pump();
}

void Connection::pump() {
  for (int turn = 0; turn < kTurn; ++turn) {
    if (!step()) return keep_input();
  }
  keep_input();
  env_.ready.push_back(id_.fd);
}

// False when there is nothing to do before another event.
bool Connection::step() {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kBody:
      return read_step();
    case Phase::kWriting:
      return write_step();
    case Phase::kStreaming:
      return stream_step();
    case Phase::kLinger:
      return discard_step();
    case Phase::kHandling:
    case Phase::kClosed:
      return false;
  }
  return false;
}

// --- Input ------------------------------------------------------------------------------------

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

// --- The request's way ------------------------------------------------------------------------

void Connection::on_head() {
  RequestHead head = framer_.take_head();
  exchange_ = {.method = head.request.method,
               .http10 = head.http10,
               .keep_alive = head.keep_alive,
               .received = !head.request.has_body,
               .status = 0,
               .started = std::chrono::steady_clock::now()};
  request_ = std::move(head.request);
  request_.peer = peer_address_;
  Router::Match match;  // "*" is no path: it stands for the server
  if (head.raw_path != "*") match = env_.router.match(request_.method, head.raw_path);
  if (match.route == nullptr) return answer_unrouted(match);
  request_.params = std::move(match.params);
  route_ = match.route;
  if (const auto* open = std::get_if<OpenBody>(&route_->target)) open_body(*open);
  if (phase_ == Phase::kHead && request_.has_body) start_body(head.expect_continue);
}

void Connection::answer_unrouted(const Router::Match& match) {
  if (match.allowed.empty()) {
    if (request_.path == "*") return respond(Response{.status = 204, .headers = {}, .body = {}});
    return respond(problem(404, "no-such-path", "There is nothing at this path."));
  }
  if (request_.method == Method::kOptions) {
    Response response{.status = 204, .headers = {}, .body = {}};
    response.set("Allow", allow_value(match.allowed));
    return respond(std::move(response));
  }
  Response response = problem(405, "method-not-allowed", "This path does not take the method.");
  response.set("Allow", allow_value(match.allowed));
  respond(std::move(response));
}

// A declared length is reserved whole: a body once begun must not fail half-way for want of room,
// or many at once would all fail.
void Connection::open_body(const OpenBody& open) {
  if (!reservation_.grow(request_.content_length.value_or(0))) {
    return respond(problem(503, "busy", "The server is receiving too much at once."));
  }
  auto receiver = open(request_);
  if (!receiver) return respond(problem(receiver.error()));
  receiver_ = std::move(*receiver);
}

void Connection::start_body(bool expect_continue) {
  phase_ = Phase::kBody;
  body_bytes_ = 0;
  body_started_ = env_.now;
  renew_body_deadline();
  // A client that already sends does not wait for leave (RFC 9110, 10.1.1).
  if (!expect_continue || !input_.empty()) return;
  outbox_.head().append(kContinue);
}

void Connection::renew_body_deadline() {
  const seconds earned(body_bytes_ / kMinBodyBytesPerSecond);
  const auto idle = env_.options.body_idle_timeout;
  deadline_ = std::min(env_.now + idle, body_started_ + idle + earned);
}

void Connection::on_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  renew_body_deadline();
  if (!receiver_) return;
  if (!request_.content_length && !reservation_.grow(bytes.size())) {
    return respond(problem(503, "busy", "The server is receiving too much at once."));
  }
  if (auto written = receiver_->write(as_bytes(bytes)); !written) {
    respond(problem(written.error()));
  }
}

void Connection::on_request_end() {
  exchange_.received = true;
  phase_ = Phase::kHandling;
  deadline_ = Deadline::max();
  auto answer = answers_->answer_of([&] {
    if (receiver_) {
      receiver_->complete(std::move(request_), Responder(answers_));
      receiver_.reset();
    } else {
      std::get<Handler>(route_->target)(std::move(request_), Responder(answers_));
    }
  });
  if (answer) respond(std::move(*answer));
}

// --- Output -----------------------------------------------------------------------------------

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
