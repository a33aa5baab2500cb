// Bodies on their way in: streamed, bounded, refused early so that the client sees why, aborted.
#include <random>
#include <thread>

#include "tests/integration/http/server_fixture.h"
#include "tests/support/wait_until.h"

namespace thumb::http {
namespace {

using test::get_request;
using test::post_request;
using test::RawClient;
using ::testing::HasSubstr;

constexpr std::uint64_t kMaxBody = 1U << 20U;

class HttpUpload : public HttpServerTest {
 protected:
  HttpUpload() {
    options_.max_body_bytes = kMaxBody;
    options_.max_inflight_body_bytes = 2 * kMaxBody;
    start();
  }

  static std::string random_bytes(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  }
};

std::string chunked(std::string_view path, std::string_view fields = "") {
  return std::string("POST ").append(path).append(
             " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n") +
         std::string(fields) + "\r\n";
}

TEST_F(HttpUpload, BodiesArriveWhole) {
  const std::string body = random_bytes(kMaxBody, 1);
  const auto response = exchange(post_request("/upload", body));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, body);
  EXPECT_EQ(response->header("x-declared"), std::to_string(kMaxBody));
  EXPECT_EQ(exchange(post_request("/upload", ""))->body, "");
}

// Chunks that straddle reads made Pistache's own parser spin; here in many random splits.
TEST_F(HttpUpload, ChunkedBodiesInRandomPieces) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const std::string body = random_bytes(100'000, seed);
    std::string text = chunked("/upload");
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 9'000, body.size() - at);
      std::array<char, 20> line;
      std::snprintf(line.data(), line.size(), "%zx\r\n", size);
      text += line.data() + body.substr(at, size) + "\r\n";
      at += size;
    }
    text += "0\r\n\r\n";
    RawClient client(port());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = random() % 3 == 0 ? 1 + random() % 4 : 1 + random() % 5'000;
      client.send(std::string_view(text).substr(at, size));
      at += size;
    }
    const auto response = client.read_response();
    ASSERT_TRUE(response) << seed;
    ASSERT_EQ(response->body, body) << seed;
    EXPECT_EQ(response->header("x-declared"), "no");
  }
}

TEST_F(HttpUpload, BodiesOfPlainHandlersAreDropped) {
  RawClient client(port());
  client.send(post_request("/plain", random_bytes(kMaxBody, 1)) + chunked("/plain") +
              "3\r\nabc\r\n0\r\n\r\n" +
              "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client.read_response()->body, "plain");
  EXPECT_EQ(client.read_response()->body, "plain");
  EXPECT_EQ(client.read_response()->body, "hello");
  EXPECT_EQ(uploads_.get().opened, 0);
}

TEST_F(HttpUpload, TooLargeIsSaidBeforeTheBodyIsRead) {
  RawClient client(port());
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_THAT(response->body, HasSubstr("body-too-large"));
  EXPECT_EQ(uploads_.get().opened, 0);
}

// Most clients send the whole body before they look for an answer; a reset would hide it.
TEST_F(HttpUpload, AClientThatSendsOnStillSeesTooLarge) {
  for (int i = 0; i < 10; ++i) {
    RawClient client(port());
    client.send(post_request("/upload", std::string(3 * kMaxBody, 'x')));
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 413);
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(HttpUpload, TooLargeIsSaidOnTheWayWhereNoLengthWasDeclared) {
  RawClient client(port());
  client.send(chunked("/upload"));
  const std::string piece = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 40; ++i) client.send(piece);
  EXPECT_EQ(client.read_response()->status, 413);
  uploads_.wait([](const Uploads& u) { return u.destroyed == 1; });
  EXPECT_EQ(uploads_.get().completed, 0);
  EXPECT_LE(uploads_.get().bytes, kMaxBody);
}

TEST_F(HttpUpload, LeaveToSendIsGivenOnceTheHeadWasTaken) {
  RawClient client(port());
  const std::string expect = "Expect: 100-continue\r\n";
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + expect + "\r\n");
  EXPECT_EQ(client.read_response()->status, 100);
  client.send("hello");
  EXPECT_EQ(client.read_response()->body, "hello");
  client.send(chunked("/upload", expect));
  EXPECT_EQ(client.read_response()->status, 100);
  client.send("5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response()->body, "hello");
  // Who does not wait for leave gets none.
  client.send(post_request("/upload", "hello", expect));
  EXPECT_EQ(client.read_response()->status, 200);
}

TEST_F(HttpUpload, LeaveToSendIsRefusedWithTheReason) {
  const std::string expect = "Expect: 100-continue\r\n";
  for (const auto& [head, status] : std::vector<std::pair<std::string, int>>{
           {"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n", 413},
           {"POST /upload?refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n", 400},
           {"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n", 404},
           {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n", 405},
       }) {
    RawClient client(port());
    client.send(head + expect + "\r\n");
    EXPECT_EQ(client.read_response()->status, status);
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(HttpUpload, AnErrorOfTheReceiverIsAnsweredAtOnce) {
  RawClient client(port());
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nREFUSE");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 415);
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_THAT(response->body, HasSubstr("refused-body"));
  EXPECT_EQ(uploads_.get().destroyed, 1);
  EXPECT_EQ(uploads_.get().completed, 0);
}

TEST_F(HttpUpload, AClientThatLeavesAbortsItsUpload) {
  const std::string begun = "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc";
  int gone = 0;
  std::uint64_t received = 0;
  for (const bool politely : {true, false}) {
    RawClient client(port());
    client.send(begun);
    ++gone;
    received += 3;
    uploads_.wait([&](const Uploads& u) { return u.bytes == received; });
    politely ? client.close() : client.reset();
    uploads_.wait([&](const Uploads& u) { return u.destroyed == gone; });
  }
  EXPECT_EQ(uploads_.get().completed, 0);
}

TEST_F(HttpUpload, ABodyThatEndsEarlyIsTruncated) {
  for (const std::string& text :
       {std::string("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
        chunked("/upload") + "5\r\nab"}) {
    RawClient client(port());
    client.send(text);
    client.finish_sending();
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 400);
    EXPECT_THAT(response->body, HasSubstr("truncated-body"));
    EXPECT_TRUE(client.at_end());
  }
  EXPECT_EQ(uploads_.get().completed, 0);
}

TEST_F(HttpUpload, TheBudgetOfAllBodiesHolds) {
  const std::string head =
      "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kMaxBody) +
      "\r\n\r\n";
  RawClient first(port());
  RawClient second(port());
  first.send(head + "a");
  second.send(head + "b");
  uploads_.wait([](const Uploads& u) { return u.bytes == 2; });
  EXPECT_THAT(metrics_.expose(), HasSubstr("thumb_http_inflight_body_bytes 2097152"));

  const auto refused = exchange(post_request("/upload", "x"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_TRUE(refused->headers.contains("retry-after"));
  const auto chunked_refused = exchange(chunked("/upload") + "1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(chunked_refused->status, 503);
  EXPECT_EQ(exchange(get_request("/hello"))->status, 200);

  const std::string rest(kMaxBody - 1, 'r');
  first.send(rest);
  EXPECT_EQ(first.read_response()->status, 200);  // what was accepted finishes
  EXPECT_EQ(exchange(post_request("/upload", "x"))->status, 200);
  second.reset();
  // Given back a moment after the connection was missed.
  EXPECT_TRUE(thumb::testing::wait_until([&] {
    return exchange(post_request("/upload", std::string(kMaxBody, 'x')))->status == 200;
  }));
}

TEST_F(HttpUpload, ManyUploadsAtOnce) {
  std::vector<std::jthread> threads;
  std::atomic<int> whole{0};
  std::atomic<int> busy{0};
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 20; ++i) {
        const std::string body = random_bytes(300'000, t * 100 + i);
        const auto response = exchange(post_request("/upload", body));
        if (response && response->status == 200 && response->body == body) ++whole;
        if (response && response->status == 503) ++busy;
      }
    });
  }
  for (std::jthread& thread : threads) thread.join();
  EXPECT_EQ(whole + busy, 160);
  EXPECT_GT(whole, 0);
  EXPECT_THAT(metrics_.expose(), HasSubstr("thumb_http_inflight_body_bytes 0"));
}

}  // namespace
}  // namespace thumb::http
