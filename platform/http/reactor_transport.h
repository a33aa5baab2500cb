// One reactor thread: reads the events of its connections, accepts new ones, keeps their deadlines.
#pragma once

#include <pistache/peer.h>
#include <pistache/reactor.h>
#include <pistache/tcp.h>
#include <pistache/transport.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <unordered_map>
#include <vector>

#include "platform/file_io.h"
#include "platform/http/connection.h"
#include "platform/http/connection_count.h"
#include "platform/http/mailbox.h"
#include "platform/http/reactors.h"

namespace thumb::http {

// All but give_order() and the mailbox belongs to the reactor's thread.
class ReactorTransport final : public Pistache::Tcp::Transport {
 public:
  enum class Order { kServe, kDrain, kCloseAll };

  // `count` is all reactors'; it outlives them, as do the parts of `context`.
  ReactorTransport(const ReactorsContext& context, ConnectionCount& count);
  ~ReactorTransport() override;

  // REQUIRES: before the threads run. `transports` are all of this server's, this one included.
  void accept_from(UniqueFd listening, std::vector<ReactorTransport*> transports);

  // Thread-safe.
  void give_order(Order order);

  // Takes on a peer that Pistache has handed to this thread.
  void adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer);

  // Pistache makes one of these per thread out of the one it is given.
  [[nodiscard]] std::shared_ptr<Pistache::Aio::Handler> clone() const override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  void onReady(const Pistache::Aio::FdSet& events) override;

 private:
  struct Held {
    std::shared_ptr<Pistache::Tcp::Peer> peer;
    std::unique_ptr<Connection> connection;
  };

  void dispatch(const Pistache::Aio::FdSet& events);
  void dispatch_one(const Pistache::Aio::FdSet::Entry& event,
                    std::vector<Pistache::Polling::Event>& others);
  template <typename Call>
  void with_connection(int fd, const Call& call);
  void watch_writes(int fd);
  void take_mail();
  void go_on();
  void tick();
  void set_timer(bool on);
  void follow_order();
  void obey(int fd);
  void look_at_clock();
  void bury();
  void let_go(int fd);
  void welcome(Mailbox::Arrival& arrival);
  // Those that carry a stream have a bound of their own.
  [[nodiscard]] std::size_t ordinary_connections();

  void accept_some();
  bool accept_one();
  void pause_accepting(int error);
  void resume_accepting();

  const ReactorsContext context_;
  ConnectionCount& count_;
  ConnectionEnv env_;
  UniqueFd timer_;
  std::unordered_map<int, Held> connections_;
  std::vector<int> closed_;  // let go of at the end of a round, so that no event meets a new one
  std::uint64_t next_serial_ = 0;
  std::time_t date_second_ = 0;
  std::atomic<Order> order_{Order::kServe};
  Order followed_ = Order::kServe;
  std::atomic<std::size_t> load_{0};  // connections, with those on their way here

  UniqueFd listening_;  // one reactor's only
  std::vector<ReactorTransport*> transports_;
  bool accepting_ = false;
};

}  // namespace thumb::http
