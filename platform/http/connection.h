// One client connection: receives, frames, routes, answers, and keeps every deadline. Reads only
// while a request is being received, so that one request is in hand at a time and whatever a client
// sends ahead waits in the kernel's buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock.h"
#include "platform/http/body_budget.h"
#include "platform/http/framer.h"
#include "platform/http/http_metrics.h"
#include "platform/http/mailbox.h"
#include "platform/http/outbox.h"
#include "platform/http/router.h"
#include "platform/http/server.h"
#include "platform/http/stream_buffer.h"
#include "platform/http/stream_slots.h"

namespace thumb::http {

// What the connections of one reactor share. Reactor thread only.
struct ConnectionEnv {
  const ServerOptions& options;
  const FramingLimits framing;
  const Router& router;
  BodyBudget& budget;
  StreamSlots& streams;
  RequestCounters counters;
  std::shared_ptr<Mailbox> mailbox;
  std::function<void(int fd)> watch_writes;  // from now on, tell of writability too

  Deadline now;      // taken once for all events that came together
  std::string date;  // as the Date field wants it
  bool stopping = false;
  std::vector<char> scratch;  // received bytes, until the connection's turn ends
  std::vector<int> ready;     // connections that have more to do without waiting for an event
};

// Reactor thread only. Never destroys itself: closed() tells the reactor to.
class Connection {
 public:
  struct Events {
    bool readable = false;
    bool writable = false;
    bool peer_closed = false;  // the client sends no more; it may still read
    bool hung_up = false;      // reset, or closed on both sides
  };

  // Does not own the descriptor. `env` outlives it.
  Connection(ConnectionEnv& env, ConnectionId id, std::string peer_address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void on_events(Events events);
  // An answer from another thread. One that comes when none is awaited is dropped.
  void on_answer(Response response);
  // Its stream was written to, or ended.
  void on_stirred();
  // Goes on where a turn was cut short.
  void on_turn();
  void on_tick();
  // The server stops: an idle connection closes, a busy one after its answer, of which a stream
  // ends.
  void on_stop();
  // One connection too many: says 503 and closes.
  void turn_away();
  void cut();

  [[nodiscard]] const ConnectionId& id() const { return id_; }
  [[nodiscard]] bool closed() const { return phase_ == Phase::kClosed; }

 private:
  class Answers;

  enum class Phase {
    kHead,       // waiting for a request or receiving its head
    kBody,       // receiving its body
    kHandling,   // the handler has it
    kWriting,    // the answer is on its way
    kStreaming,  // the answer goes on for as long as its source and its client like
    kLinger,     // all is said; what still comes is dropped, so that the client sees the answer
    kClosed,
  };

  // Of the request in hand.
  struct Exchange {
    std::optional<Method> method;  // empty: its request line could not be read
    bool http10 = false;
    bool keep_alive = false;
    bool received = false;  // to its last byte
    int status = 0;
    std::optional<Deadline> started;  // when its head was complete
    bool counted = false;
  };

  void pump();
  [[nodiscard]] bool step();

  // Input (connection_input.cc).
  [[nodiscard]] bool read_step();
  [[nodiscard]] bool receive();
  void keep_input();
  void on_end_of_input();

  // The request's way.
  void on_head();
  void open_body(const OpenBody& open);
  void start_body(bool expect_continue);
  void on_body(std::string_view bytes);
  void on_request_end();
  void answer_unrouted(const Router::Match& match);
  void renew_body_deadline();

  // Output (connection_output.cc).
  void respond(Response response);
  [[nodiscard]] bool write_step();
  void count_exchange();
  void finish_exchange();
  void await_request();
  void start_linger();
  [[nodiscard]] bool discard_step();
  void close();

  // Streams (connection_stream.cc).
  void start_stream(StreamBody body);
  [[nodiscard]] bool stream_step();
  void append_chunk(std::string_view text);
  void drop_stream();
  void end_stream();

  ConnectionEnv& env_;
  const ConnectionId id_;
  const std::string peer_address_;
  const std::shared_ptr<Answers> answers_;
  Phase phase_ = Phase::kHead;
  Deadline deadline_;

  RequestFramer framer_;
  std::string pending_;       // input kept between turns
  std::string_view input_;    // not yet consumed: in env_.scratch during a turn, or in pending_
  bool starved_ = true;       // the framer wants more than `input_`
  bool input_ready_ = false;  // the kernel may have more
  bool peer_closed_ = false;
  bool end_of_input_ = false;
  bool head_started_ = false;

  Exchange exchange_;
  Request request_;
  const Route* route_ = nullptr;
  std::unique_ptr<BodyReceiver> receiver_;
  BodyReservation reservation_;
  std::uint64_t body_bytes_ = 0;
  Deadline body_started_;

  Outbox outbox_;
  std::shared_ptr<StreamBuffer> stream_;  // only while kStreaming, as its source
  std::shared_ptr<StreamSource> source_;
  bool chunked_ = false;
  bool keep_alive_ = false;
  bool blocked_ = false;  // the kernel takes no more for now
  bool watching_writes_ = false;

  Deadline linger_until_;
  std::uint64_t linger_bytes_ = 0;
};

}  // namespace thumb::http
