// Stopping: what is in hand finishes, what is idle closes, what takes too long is cut.
#include <thread>

#include "tests/integration/http/server_fixture.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;
using test::get_request;
using test::RawClient;

class HttpStop : public HttpServerTest {
 protected:
  HttpStop() { start(); }
};

TEST_F(HttpStop, IdleConnectionsCloseAtOnce) {
  RawClient fresh(port());
  RawClient used(port());
  used.send(get_request("/hello"));
  EXPECT_EQ(used.read_response()->status, 200);
  server_->stop(milliseconds(10'000));
  EXPECT_TRUE(fresh.at_end());
  EXPECT_TRUE(used.at_end());
}

TEST_F(HttpStop, RequestsInHandFinish) {
  RawClient waiting(port());
  waiting.send(get_request("/later"));
  Responder responder = take_kept();
  RawClient uploading(port());
  uploading.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  uploads_.wait([](const Uploads& u) { return u.bytes == 3; });
  RawClient idle(port());
  std::jthread stopping([this] { server_->stop(milliseconds(10'000)); });
  EXPECT_TRUE(idle.at_end());  // the server is stopping now

  uploading.send("def");
  const auto uploaded = uploading.read_response();
  ASSERT_TRUE(uploaded);
  EXPECT_EQ(uploaded->body, "abcdef");
  EXPECT_TRUE(uploading.at_end());  // kept alive no longer
  uploading.close();

  Response response;
  response.body = std::string("last words");
  responder.send(std::move(response));
  EXPECT_EQ(waiting.read_response()->body, "last words");
  waiting.close();
  stopping.join();
}

TEST_F(HttpStop, AfterTheGraceEverythingIsCut) {
  RawClient waiting(port());
  waiting.send(get_request("/later"));
  Responder responder = take_kept();
  RawClient uploading(port());
  uploading.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  uploads_.wait([](const Uploads& u) { return u.bytes == 3; });
  RawClient not_reading(port(), 4'096);
  not_reading.send(get_request("/bytes/50000000"));
  server_->stop(milliseconds(20));
  EXPECT_EQ(uploads_.get().destroyed, 1);
  EXPECT_EQ(uploads_.get().completed, 0);
  EXPECT_TRUE(waiting.at_end());
  EXPECT_TRUE(uploading.at_end());
  responder.send(Response{});  // to nobody
  server_.reset();
}

TEST_F(HttpStop, ResponderOutlivesTheServer) {
  RawClient client(port());
  client.send(get_request("/later"));
  Responder responder = take_kept();
  server_.reset();
  EXPECT_TRUE(client.at_end());
  responder.send(Response{});
}

TEST_F(HttpStop, ThePortIsFreeAgain) {
  options_.port = port();
  for (int i = 0; i < 20; ++i) {
    RawClient client(port());
    client.send(get_request("/hello"));
    EXPECT_EQ(client.read_response()->status, 200);
    server_->stop(milliseconds(1'000));
    server_.reset();
    start();
  }
}

TEST_F(HttpStop, UnderLoadEveryRequestIsAnsweredOrRefusedWhole) {
  std::atomic<int> answered{0};
  std::vector<std::jthread> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      RawClient client(port());
      for (;;) {
        if (client.send_some(get_request("/bytes/1000")) <= 0) return;
        const auto response = client.read_response();
        if (!response) return;
        EXPECT_EQ(response->body.size(), 1'000U);
        ++answered;
      }
    });
  }
  while (answered < 500) std::this_thread::yield();
  server_->stop(milliseconds(5'000));
  for (std::jthread& client : clients) client.join();
  EXPECT_GE(answered, 500);
}

}  // namespace
}  // namespace thumb::http
