// Slow, greedy and numerous clients: every deadline holds for every request of a connection, and
// the server stays reachable for the others.
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <thread>

#include "tests/integration/http/server_fixture.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;
using test::get_request;
using test::post_request;
using test::RawClient;

class HttpLimits : public HttpServerTest {
 protected:
  HttpLimits() {
    options_.header_timeout = milliseconds(100);
    options_.body_idle_timeout = milliseconds(100);
    options_.write_timeout = milliseconds(1'000);
    options_.keep_alive_timeout = milliseconds(5'000);
  }

  // A client may stand still between its connecting and its first byte, on a busy machine.
  static constexpr milliseconds kLongerThanAPause{1'000};

  // Sends one byte after another, a few milliseconds apart, until the server answers.
  static std::optional<test::RawResponse> drip(RawClient& client, std::string_view text) {
    for (const char c : text) {
      if (client.send_some(std::string_view(&c, 1)) < 0) break;
      pollfd answer{.fd = client.fd(), .events = POLLIN, .revents = 0};
      if (::poll(&answer, 1, 5) > 0) return client.read_response();
    }
    return client.read_response();
  }
};

TEST_F(HttpLimits, AHeadMustComeInTime) {
  start();
  RawClient client(port());
  client.send("GET /hello HTTP/1.1\r\nHo");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpLimits, AHeadThatDripsIsLateToo) {
  start();
  RawClient client(port());
  const auto response = drip(client, "GET /hello HTTP/1.1\r\nX: " + std::string(5'000, 'a'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
}

TEST_F(HttpLimits, TheSecondHeadMustComeInTimeToo) {
  start();
  RawClient client(port());
  client.send(get_request("/hello") + "GET /he");
  EXPECT_EQ(client.read_response()->status, 200);
  EXPECT_EQ(client.read_response()->status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpLimits, ABodyMustNotStop) {
  start();
  RawClient client(port());
  client.send(post_request("/upload", "first") +
              "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_response()->body, "first");
  EXPECT_EQ(client.read_response()->status, 408);
  EXPECT_TRUE(client.at_end());
  uploads_.wait([](const Uploads& u) { return u.destroyed == 2; });
  EXPECT_EQ(uploads_.get().completed, 1);
}

// One byte per idle time-out would hold a connection and its share of the budget for ever.
TEST_F(HttpLimits, ABodyMustKeepAPace) {
  start();
  RawClient client(port());
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  const auto response = drip(client, std::string(100'000, 'a'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
  EXPECT_LT(uploads_.get().bytes, 100'000U);
}

TEST_F(HttpLimits, AHandlersTimeIsNotLimited) {
  options_.keep_alive_timeout = kLongerThanAPause;
  start();
  RawClient patient(port());
  patient.send(get_request("/later"));
  Responder responder = take_kept();
  // Another connection passes through all deadlines meanwhile.
  EXPECT_TRUE(RawClient(port()).at_end());
  RawClient late(port());
  late.send("GET /hel");
  EXPECT_EQ(late.read_response()->status, 408);
  responder.send(Response{.status = 202, .headers = {}, .body = {}});
  EXPECT_EQ(patient.read_response()->status, 202);
}

TEST_F(HttpLimits, IdleConnectionsAreClosedInSilence) {
  options_.keep_alive_timeout = kLongerThanAPause;
  start();
  RawClient fresh(port());
  EXPECT_EQ(fresh.read_to_end(), "");
  RawClient used(port());
  used.send(get_request("/hello"));
  EXPECT_EQ(used.read_response()->status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST_F(HttpLimits, AClientThatDoesNotReadIsCut) {
  start();
  RawClient client(port(), 4'096);
  client.send(get_request("/bytes/50000000"));
  // Without reading: the reset shows as an error of the socket.
  for (int error = 0; error == 0;) {
    socklen_t size = sizeof(error);
    ASSERT_EQ(::getsockopt(client.fd(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
    std::this_thread::yield();
  }
  EXPECT_LT(client.read_to_end().size(), 50'000'000U);
}

TEST_F(HttpLimits, AClientThatReadsInSmallPiecesIsServed) {
  start();
  RawClient client(port(), 4'096);
  client.send(get_request("/bytes/3000000"));
  std::size_t total = 0;
  while (total < 3'000'000) {
    const std::string piece = client.read(20'000);
    ASSERT_FALSE(piece.empty());
    total += piece.size();
  }
  EXPECT_GE(total, 3'000'000U);
}

TEST_F(HttpLimits, OneConnectionTooManyIsTold) {
  options_.max_connections = 5;
  start();
  std::deque<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(port());
    clients.back().send(get_request("/hello"));
    EXPECT_EQ(clients.back().read_response()->status, 200);
  }
  for (int i = 0; i < 20; ++i) {
    RawClient extra(port());
    extra.send(get_request("/hello"));
    const auto response = extra.read_response();
    ASSERT_TRUE(response) << i;
    EXPECT_EQ(response->status, 503);
    EXPECT_TRUE(response->headers.contains("retry-after"));
    EXPECT_TRUE(extra.at_end());
  }
  clients.front().send(get_request("/hello"));
  EXPECT_EQ(clients.front().read_response()->status, 200);
  clients.pop_back();
  for (int status = 503; status == 503;) {
    RawClient next(port());
    next.send(get_request("/hello"));
    const auto response = next.read_response();
    ASSERT_TRUE(response);
    status = response->status;
  }
}

// The listener has to leave its socket alone until descriptors come free, and serve the others.
// Nothing is expected before they are: a failure is printed through UBSan's check of a vptr, which
// itself needs a pipe, and would report that instead.
TEST_F(HttpLimits, NoDescriptorsLeftIsWaitedOut) {
  options_.keep_alive_timeout = milliseconds(60'000);
  start();
  RawClient before(port());
  before.send(get_request("/hello"));
  EXPECT_EQ(before.read_response()->status, 200);

  RawClient unserved;  // its descriptor here; the server's end will find none
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{.rlim_cur = static_cast<rlim_t>(unserved.fd() + 64), .rlim_max = limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  std::vector<UniqueFd> taken;
  for (;;) {
    UniqueFd fd(::dup(before.fd()));
    if (!fd.valid()) break;
    taken.push_back(std::move(fd));
  }
  unserved.connect(port());
  unserved.send(get_request("/hello"));
  std::vector<int> statuses;
  for (int i = 0; i < 30; ++i) {
    before.send(get_request("/hello"));
    const auto response = before.read_response();
    statuses.push_back(response ? response->status : 0);
  }
  pollfd answer{.fd = unserved.fd(), .events = POLLIN, .revents = 0};
  const int answered_early = ::poll(&answer, 1, 0);
  taken.clear();
  ::setrlimit(RLIMIT_NOFILE, &limit);

  EXPECT_THAT(statuses, ::testing::Each(200));
  EXPECT_EQ(answered_early, 0) << "it had a descriptor all the same";
  EXPECT_EQ(unserved.read_response()->status, 200);
}

TEST_F(HttpLimits, ATakenPortIsNamed) {
  start();
  options_.port = port();
  const auto second = Server::start(options_, router_, log_, metrics_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "address-in-use");
  EXPECT_EQ(second.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(second.error().message, ::testing::HasSubstr("127.0.0.1:" + std::to_string(port())));
}

TEST_F(HttpLimits, AHostThatIsNoneIsNamed) {
  options_.host = "no.such.host.invalid";
  const auto server = Server::start(options_, router_, log_, metrics_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, "bad-host");
}

TEST_F(HttpLimits, ManyIdleConnectionsDisturbNobody) {
  start();
  std::deque<RawClient> idle;
  for (int i = 0; i < 500; ++i) idle.emplace_back(port());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
  }
}

}  // namespace
}  // namespace thumb::http
