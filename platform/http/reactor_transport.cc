#include "platform/http/reactor_transport.h"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "platform/http/response_head.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kScratchBytes = std::size_t{64} * 1024;
constexpr int kAcceptsPerEvent = 64;
// Past max_connections this many more are taken, told 503 and closed; then they wait in the
// backlog.
constexpr std::size_t kTurnedAwayAtOnce = 64;

// Deadlines are looked at this often: precise enough for the shortest time-out, and no work to
// speak of for the usual ones.
milliseconds tick_of(const ServerOptions& options) {
  const auto shortest = std::min({options.header_timeout, options.body_idle_timeout,
                                  options.write_timeout, options.keep_alive_timeout});
  return std::clamp(shortest / 8, milliseconds(5), milliseconds(200));
}

// Tells the transport of peers that Pistache has handed to its thread. Input never comes here:
// ReactorTransport reads itself.
class PeerHandler final : public Pistache::Tcp::Handler {
 public:
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    static_cast<ReactorTransport*>(transport())->adopt(peer);
  }
  void onInput(const char*, std::size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
  [[nodiscard]] std::shared_ptr<Pistache::Tcp::Handler> clone() const override {
    return std::make_shared<PeerHandler>();
  }
};

}  // namespace

ReactorTransport::ReactorTransport(const ReactorsContext& context, ConnectionCount& count)
    : Transport(std::make_shared<PeerHandler>()),
      context_(context),
      count_(count),
      env_{.options = context.options,
           .framing = {.max_header_bytes = context.options.max_header_bytes,
                       .max_target_bytes = context.options.max_header_bytes / 2,
                       .max_body_bytes = context.options.max_body_bytes},
           .router = context.router,
           .budget = context.budget,
           .streams = context.streams,
           .counters = RequestCounters(context.metrics),
           .mailbox = std::make_shared<Mailbox>(),
           .watch_writes = [this](int fd) { watch_writes(fd); },
           .now = std::chrono::steady_clock::now(),
           .date = {},
           .stopping = false,
           .scratch = std::vector<char>(kScratchBytes),
           .ready = {}},
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {}

ReactorTransport::~ReactorTransport() {
  env_.mailbox->close();
  while (!connections_.empty()) let_go(connections_.begin()->first);
}

std::shared_ptr<Pistache::Aio::Handler> ReactorTransport::clone() const {
  return std::make_shared<ReactorTransport>(context_, count_);
}

void ReactorTransport::registerPoller(Pistache::Polling::Epoll& poller) {
  Transport::registerPoller(poller);
  for (const int fd : {env_.mailbox->event_fd(), timer_.get()}) {
    poller.addFd(fd, Pistache::Flags(Pistache::Polling::NotifyOn::Read),
                 Pistache::Polling::Tag(static_cast<std::uint64_t>(fd)));
  }
}

void ReactorTransport::accept_from(UniqueFd listening, std::vector<ReactorTransport*> transports) {
  listening_ = std::move(listening);
  transports_ = std::move(transports);
  resume_accepting();
}

void ReactorTransport::give_order(Order order) {
  order_.store(order);
  env_.mailbox->wake();
}

// --- Events -----------------------------------------------------------------------------------

// The edge between Pistache's thread, where an exception would end the process, and our code.
void ReactorTransport::onReady(const Pistache::Aio::FdSet& events) {
  try {
    dispatch(events);
  } catch (const std::exception& error) {
    context_.log.error("HTTP reactor failed to handle events", {{"error", error.what()}});
  }
}

void ReactorTransport::dispatch(const Pistache::Aio::FdSet& events) {
  env_.mailbox->adopt_this_thread();
  look_at_clock();
  std::vector<Pistache::Polling::Event> others;  // the transport's own queues
  for (const auto& event : events) dispatch_one(event, others);
  if (!others.empty()) Transport::onReady(Pistache::Aio::FdSet(std::move(others)));
  follow_order();
  go_on();
  bury();
}

void ReactorTransport::dispatch_one(const Pistache::Aio::FdSet::Entry& entry,
                                    std::vector<Pistache::Polling::Event>& others) {
  // Entry hides its base and with it EPOLLRDHUP, without which an edge-triggered reader has to
  // call recv once more for each request. A C-style cast may cross private inheritance
  // ([expr.cast]).
  const auto& event = (const Pistache::Polling::Event&)entry;
  const int fd = static_cast<int>(event.tag.value());
  if (fd == env_.mailbox->event_fd()) return take_mail();
  if (fd == timer_.get()) return tick();
  if (fd == listening_.get()) return accept_some();
  if (!connections_.contains(fd)) {
    others.push_back(event);
    return;
  }
  with_connection(fd, [&](Connection& connection) {
    connection.on_events({.readable = entry.isReadable(),
                          .writable = entry.isWritable(),
                          .peer_closed = event.flags.hasFlag(Pistache::Polling::NotifyOn::Shutdown),
                          .hung_up = entry.isHangup()});
  });
}

// Calls into a connection; an exception (of a handler, or no memory) costs this connection alone.
template <typename Call>
void ReactorTransport::with_connection(int fd, const Call& call) {
  const auto found = connections_.find(fd);
  if (found == connections_.end() || found->second.connection->closed()) return;
  Connection& connection = *found->second.connection;
  try {
    call(connection);
  } catch (const std::exception& error) {
    context_.log.error("HTTP connection failed", {{"error", error.what()}});
    connection.cut();
  }
  if (connection.closed()) closed_.push_back(fd);
}

void ReactorTransport::watch_writes(int fd) {
  using Pistache::Polling::NotifyOn;
  reactor()->modifyFd(key(), fd, NotifyOn::Read | NotifyOn::Write | NotifyOn::Shutdown,
                      Pistache::Polling::Mode::Edge);
}

void ReactorTransport::take_mail() {
  Mailbox::Mail mail = env_.mailbox->take();
  for (Mailbox::Letter& letter : mail.letters) {
    with_connection(letter.to.fd, [&](Connection& connection) {
      if (connection.id() == letter.to) connection.on_answer(std::move(letter.response));
    });
  }
  for (const ConnectionId& id : mail.stirred) {
    with_connection(id.fd, [&](Connection& connection) {
      if (connection.id() == id) connection.on_stirred();
    });
  }
  for (Mailbox::Arrival& arrival : mail.arrivals) welcome(arrival);
}

// Connections whose turn was cut short go on after all the others have had theirs.
void ReactorTransport::go_on() {
  const std::vector<int> ready = std::exchange(env_.ready, {});
  for (const int fd : ready) {
    with_connection(fd, [](Connection& connection) { connection.on_turn(); });
  }
  if (!env_.ready.empty()) env_.mailbox->wake();
}

void ReactorTransport::tick() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &expirations, sizeof(expirations));
  for (auto& [fd, held] : connections_) {
    with_connection(fd, [](Connection& connection) { connection.on_tick(); });
  }
  if (listening_.valid() && !accepting_) resume_accepting();
}

void ReactorTransport::set_timer(bool on) {
  const auto tick = on ? tick_of(context_.options) : milliseconds(0);
  itimerspec spec{};
  spec.it_interval.tv_nsec = std::chrono::nanoseconds(tick).count();
  spec.it_value = spec.it_interval;
  ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

void ReactorTransport::look_at_clock() {
  env_.now = std::chrono::steady_clock::now();
  const std::time_t second = std::time(nullptr);
  if (std::exchange(date_second_, second) != second) env_.date = http_date(second);
}

void ReactorTransport::follow_order() {
  const Order order = order_.load();
  if (std::exchange(followed_, order) == order) return;
  env_.stopping = true;
  if (std::exchange(accepting_, false)) reactor()->removeFd(key(), listening_.get());
  listening_.reset();
  for (auto& [fd, held] : connections_) obey(fd);
}

void ReactorTransport::obey(int fd) {
  with_connection(fd, [this](Connection& connection) {
    followed_ == Order::kDrain ? connection.on_stop() : connection.cut();
  });
}

// --- Connections' lives -----------------------------------------------------------------------

// On this thread Pistache takes the peer at once: it calls onConnection(), then registers it.
void ReactorTransport::welcome(Mailbox::Arrival& arrival) {
  try {
    auto* address = reinterpret_cast<sockaddr*>(&arrival.peer);
    handleNewPeer(Pistache::Tcp::Peer::Create(arrival.fd, Pistache::Address::fromUnix(address)));
  } catch (const std::exception& error) {
    context_.log.warn("HTTP connection can't be served", {{"error", error.what()}});
    if (connections_.contains(arrival.fd)) {
      return with_connection(arrival.fd, [](Connection& connection) { connection.cut(); });
    }
    ::close(arrival.fd);
    load_.fetch_sub(1);
    count_.remove();
  }
}

void ReactorTransport::adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  const int fd = peer->fd();
  if (connections_.empty()) set_timer(true);
  auto connection =
      std::make_unique<Connection>(env_, ConnectionId{fd, next_serial_++}, peer->address().host());
  connections_.emplace(fd, Held{peer, std::move(connection)});
  if (followed_ != Order::kServe) {
    obey(fd);
  } else if (ordinary_connections() > context_.options.max_connections) {
    with_connection(fd, [](Connection& extra) { extra.turn_away(); });
  }
}

void ReactorTransport::bury() {
  for (const int fd : std::exchange(closed_, {})) let_go(fd);
  if (connections_.empty()) set_timer(listening_.valid() && !accepting_);
}

void ReactorTransport::let_go(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  const Held held = std::move(found->second);
  connections_.erase(found);
  try {
    removePeer(held.peer);  // takes it out of the epoll and closes it
  } catch (const std::exception& error) {
    // Only a peer that could never be registered: nobody else knows the descriptor then.
    context_.log.warn("HTTP connection was not registered", {{"error", error.what()}});
    ::close(fd);
  }
  load_.fetch_sub(1);
  count_.remove();
}

// --- Accepting --------------------------------------------------------------------------------

std::size_t ReactorTransport::ordinary_connections() {
  const std::size_t streams = context_.streams.used();
  const std::size_t all = count_.get();
  return all > streams ? all - streams : 0;
}

void ReactorTransport::accept_some() {
  for (int i = 0; i < kAcceptsPerEvent && accepting_; ++i) {
    if (!accept_one()) return;
  }
}

bool ReactorTransport::accept_one() {
  if (ordinary_connections() >= context_.options.max_connections + kTurnedAwayAtOnce) {
    pause_accepting(0);
    return false;
  }
  Mailbox::Arrival arrival;
  socklen_t size = sizeof(arrival.peer);
  arrival.fd = ::accept4(listening_.get(), reinterpret_cast<sockaddr*>(&arrival.peer), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (arrival.fd < 0) {
    // Out of descriptors or memory. The socket stays readable, so polling on would spin.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pause_accepting(errno);
    }
    return errno == EINTR || errno == ECONNABORTED;
  }
  ReactorTransport* const idlest =
      *std::min_element(transports_.begin(), transports_.end(),
                        [](const auto* a, const auto* b) { return a->load_ < b->load_; });
  idlest->load_.fetch_add(1);
  count_.add();
  if (idlest == this) {
    welcome(arrival);
  } else {
    idlest->env_.mailbox->hand_over(arrival);
  }
  return true;
}

// Until the next tick. New connections wait in the kernel's backlog meanwhile.
void ReactorTransport::pause_accepting(int error) {
  if (error != 0) {
    context_.log.warn("HTTP server can't accept connections for now",
                      {{"error", std::strerror(error)}});
  }
  accepting_ = false;
  reactor()->removeFd(key(), listening_.get());
  set_timer(true);
}

void ReactorTransport::resume_accepting() {
  accepting_ = true;
  reactor()->registerFd(key(), listening_.get(), Pistache::Polling::NotifyOn::Read,
                        Pistache::Polling::Mode::Level);
}

}  // namespace thumb::http
