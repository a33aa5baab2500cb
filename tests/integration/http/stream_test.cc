// Answers without an end: framing, clients that leave or take nothing, the end of the server.
#include <algorithm>
#include <thread>
#include <vector>

#include "tests/integration/http/server_fixture.h"
#include "tests/support/wait_until.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::get_request;
using test::RawClient;

constexpr std::string_view kOldRequest = "GET /stream HTTP/1.0\r\nHost: x\r\n\r\n";

// What became of a stream, and the hand that writes it.
struct Streams {
  std::vector<std::shared_ptr<StreamWriter>> writers;
  int drained = 0;
  int closed = 0;
};

class TestSource final : public StreamSource {
 public:
  explicit TestSource(Watched<Streams>& streams) : streams_(streams) {}
  void opened(std::shared_ptr<StreamWriter> writer) override {
    streams_.update([&](Streams& s) { s.writers.push_back(std::move(writer)); });
  }
  void drained() override {
    streams_.update([](Streams& s) { ++s.drained; });
  }
  void closed() override {
    streams_.update([](Streams& s) { ++s.closed; });
  }

 private:
  Watched<Streams>& streams_;
};

class HttpStream : public HttpServerTest {
 protected:
  HttpStream() {
    router_.add(Method::kGet, "/stream", [this](const Request&, Responder responder) {
      Response response;
      response.set("Content-Type", "text/event-stream");
      response.body = StreamBody{std::make_shared<TestSource>(streams_), 10'000};
      responder.send(std::move(response));
    });
  }

  std::shared_ptr<StreamWriter> writer(std::size_t number = 0) {
    streams_.wait([&](const Streams& s) { return s.writers.size() > number; });
    const auto streams = streams_.get();
    return streams.writers.size() > number ? streams.writers[number] : nullptr;
  }
  void wait_closed(int count) {
    streams_.wait([&](const Streams& s) { return s.closed == count; });
  }
  // The head as it came, up to and with its empty line.
  static std::string read_head(RawClient& client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const auto byte = client.read(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }

  Watched<Streams> streams_;
};

TEST_F(HttpStream, ComesInChunksAsItIsWrittenAndTheConnectionGoesOn) {
  start();
  RawClient client(port());
  client.send(get_request("/stream"));
  const auto head = read_head(client);
  EXPECT_NE(head.find("HTTP/1.1 200 OK\r\n"), std::string::npos);
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Content-Length"), std::string::npos);
  const auto out = writer();
  EXPECT_TRUE(out->write("one\n"));
  EXPECT_EQ(client.read(9), "4\r\none\n\r\n");
  EXPECT_TRUE(out->write("a longer piece of text\n"));
  EXPECT_EQ(client.read(29), "17\r\na longer piece of text\n\r\n");
  EXPECT_TRUE(out->is_open());
  out->end();
  EXPECT_FALSE(out->is_open());
  EXPECT_FALSE(out->write("too late"));
  EXPECT_EQ(client.read(5), "0\r\n\r\n");
  wait_closed(1);
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_response()->body, "hello");
}

TEST_F(HttpStream, AnOldClientGetsPlainTextUntilTheConnectionCloses) {
  start();
  RawClient client(port());
  client.send(kOldRequest);
  const auto out = writer();
  EXPECT_TRUE(out->write("one\n"));
  EXPECT_TRUE(out->write("two\n"));
  out->end();
  const auto all = client.read_to_end();
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\none\ntwo\n"));
}

TEST_F(HttpStream, HeadIsAnsweredWithoutAStream) {
  start();
  RawClient client(port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_response(true)->status, 200);
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_response()->body, "hello");
  EXPECT_TRUE(streams_.get().writers.empty());
}

TEST_F(HttpStream, AClientThatLeavesIsSeenWithoutWriting) {
  start();
  for (const bool reset : {false, true}) {
    RawClient client(port());
    client.send(get_request("/stream"));
    read_head(client);
    const auto out = writer(reset ? 1 : 0);
    EXPECT_TRUE(out->is_open());
    reset ? client.reset() : client.close();
    wait_closed(reset ? 2 : 1);
    EXPECT_FALSE(out->is_open());
    EXPECT_EQ(out->room(), 0U);
    EXPECT_FALSE(out->write("to nobody"));
  }
}

TEST_F(HttpStream, AWriterThatHeedsNoRoomLosesASlowClient) {
  start();
  RawClient client(port(), 4'096);
  client.send(get_request("/stream"));
  const auto out = writer();
  const std::string text(5'000, 'x');
  while (out->write(text)) {
  }
  wait_closed(1);
  EXPECT_FALSE(out->is_open());
  EXPECT_NE(metrics_.expose().find("thumb_http_streams_dropped_total 1"), std::string::npos);
  EXPECT_NE(metrics_.expose().find("thumb_http_streams 0"), std::string::npos);
}

TEST_F(HttpStream, AWriterThatHeedsItLosesOnlyWhoTakesNothing) {
  options_.write_timeout = milliseconds(300);
  start();
  RawClient stuck(port(), 4'096);
  stuck.send(get_request("/stream"));
  const auto to_stuck = writer(0);
  RawClient reading(port());
  reading.send(get_request("/stream"));
  read_head(reading);
  const auto out = writer(1);
  while (to_stuck->is_open()) {
    const auto room = std::min<std::size_t>(to_stuck->room(), 1'000);
    if (room > 0) static_cast<void>(to_stuck->write(std::string(room, 'x')));
    std::this_thread::yield();
  }
  wait_closed(1);
  EXPECT_TRUE(out->is_open());  // idle for as long, which is no fault
  EXPECT_TRUE(out->write("on\n"));
  EXPECT_EQ(reading.read(8), "3\r\non\n\r\n");
}

TEST_F(HttpStream, IdleStreamsOutliveEveryTimeOut) {
  // Long enough that a busy machine's pause between connecting and asking is within it.
  options_.keep_alive_timeout = milliseconds(500);
  options_.write_timeout = milliseconds(500);
  options_.header_timeout = milliseconds(500);
  start();
  RawClient listening(port());
  listening.send(get_request("/stream"));
  read_head(listening);
  const auto out = writer();
  for (int i = 0; i < 3; ++i) {  // each is closed when its time is up, so time has passed
    RawClient idle(port());
    EXPECT_TRUE(idle.at_end());
  }
  EXPECT_TRUE(out->write("on\n"));
  EXPECT_EQ(listening.read(8), "3\r\non\n\r\n");
}

TEST_F(HttpStream, PastTheLimitOthersAreTold503AndOrdinaryRequestsServed) {
  options_.max_streams = 2;
  options_.max_connections = 3;
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(get_request("/stream"));
    static_cast<void>(read_head(*clients.back()));
  }
  RawClient third(port());
  third.send(get_request("/stream"));
  const auto refused = third.read_response();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->header("retry-after"), "");
  // Streams don't take the place of connections.
  RawClient fourth(port());
  fourth.send(get_request("/hello"));
  EXPECT_EQ(fourth.read_response()->status, 200);
  clients.front()->close();
  wait_closed(1);
  third.send(get_request("/stream"));
  EXPECT_NE(read_head(third).find("200 OK"), std::string::npos);
}

TEST_F(HttpStream, StoppingEndsStreamsInOrder) {
  start();
  RawClient client(port());
  client.send(get_request("/stream"));
  read_head(client);
  const auto out = writer();
  EXPECT_TRUE(out->write("last words"));
  std::jthread stopping([this] { server_->stop(seconds(10)); });
  EXPECT_EQ(client.read_to_end(), "a\r\nlast words\r\n0\r\n\r\n");
  client.close();
  stopping.join();
  wait_closed(1);
  EXPECT_FALSE(out->write("to nobody"));
  server_.reset();
  EXPECT_FALSE(out->is_open());
}

TEST_F(HttpStream, StoppingDoesNotWaitForAClientThatTakesNothing) {
  start();
  RawClient client(port(), 4'096);
  client.send(get_request("/stream"));
  const auto out = writer();
  int full = 0;  // looks in a row: the kernel takes no more, and the rest stays with us
  EXPECT_TRUE(thumb::testing::wait_until([&] {
    const auto room = out->room();
    full = room == 0 ? full + 1 : 0;
    if (room > 0) static_cast<void>(out->write(std::string(room, 'x')));
    return full == 5;
  }));
  server_->stop(milliseconds(50));
  EXPECT_EQ(streams_.get().closed, 1);
}

TEST_F(HttpStream, ManyStreamsGetEveryByteInOrder) {
  constexpr std::size_t kStreams = 300;
  constexpr int kPieces = 200;
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < kStreams; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(kOldRequest);
    ASSERT_NE(writer(i), nullptr);
    static_cast<void>(read_head(*clients.back()));
  }
  const auto writers = streams_.get().writers;
  std::string expected;
  for (int piece = 0; piece < kPieces; ++piece) {
    const auto text = std::to_string(piece) + "\n";
    expected += text;
    for (const auto& out : writers) EXPECT_TRUE(out->write(text));
  }
  for (const auto& out : writers) out->end();
  for (auto& client : clients) EXPECT_EQ(client->read_to_end(), expected);
  clients.clear();
  wait_closed(kStreams);
}

}  // namespace
}  // namespace thumb::http
