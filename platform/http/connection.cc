#include "platform/http/connection.h"

#include <algorithm>
#include <utility>

#include "platform/http/problem.h"
#include "platform/http/response_head.h"

namespace thumb::http {
namespace {

using std::chrono::seconds;

// Receives, answers and sends a connection may do before the others get their turn.
constexpr int kTurn = 32;
// A body must keep this pace on the whole, or it would hold its share of the budget for ever by
// one byte per idle time-out.
constexpr std::uint64_t kMinBodyBytesPerSecond = 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

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

}  // namespace thumb::http
