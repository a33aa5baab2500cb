// Requests and answers over real sockets: routes, methods, keep-alive, pipelining, late answers.
#include <thread>

#include "tests/integration/http/server_fixture.h"

namespace thumb::http {
namespace {

using test::get_request;
using test::post_request;
using test::RawClient;
using ::testing::HasSubstr;

constexpr int kPipelined = 5'000;
constexpr std::size_t kMoreThanBuffers = 64U << 20U;
constexpr int kLateClients = 40;
constexpr int kLateRounds = 25;
constexpr std::size_t kLargeAnswer = 20'000'000;

class HttpExchange : public HttpServerTest {
 protected:
  HttpExchange() { start(); }
};

TEST_F(HttpExchange, AnswersWithTheFieldsEveryAnswerHas) {
  const auto response = exchange(get_request("/hello"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("content-type"), "text/plain");
  EXPECT_EQ(response->header("content-length"), "5");
  EXPECT_EQ(response->header("x-content-type-options"), "nosniff");
  EXPECT_THAT(response->header("date"), ::testing::EndsWith(" GMT"));
  EXPECT_FALSE(response->headers.contains("connection"));
}

TEST_F(HttpExchange, HandlersSeeTheDecodedRequest) {
  EXPECT_EQ(exchange(get_request("/show/a%2Fb%20c"))->body, "a/b c|/show/a/b c|127.0.0.1");
}

TEST_F(HttpExchange, HeadIsGetWithoutTheBody) {
  RawClient client(port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + get_request("/hello"));
  const auto head = client.read_response(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->header("content-length"), "5");
  const auto get = client.read_response();  // would not parse if HEAD had sent its body
  ASSERT_TRUE(get);
  EXPECT_EQ(get->body, "hello");
}

TEST_F(HttpExchange, AnswersWithoutABodyHaveNone) {
  RawClient client(port());
  for (const char* code : {"204", "304"}) {
    client.send(get_request(std::string("/status/") + code));
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, std::stoi(code));
    EXPECT_FALSE(response->headers.contains("content-length"));
  }
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_response()->body, "hello");
}

TEST_F(HttpExchange, OtherMethodsAndPaths) {
  const auto options = exchange("OPTIONS /upload HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(options->status, 204);
  EXPECT_EQ(options->header("allow"), "POST, OPTIONS");
  const auto refused = exchange("PUT /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused->status, 405);
  EXPECT_EQ(refused->header("allow"), "GET, HEAD, OPTIONS");
  EXPECT_THAT(refused->body, HasSubstr("\"code\":\"method-not-allowed\""));
  const auto unknown = exchange(get_request("/nothing/here"));
  EXPECT_EQ(unknown->status, 404);
  EXPECT_EQ(unknown->header("content-type"), "application/problem+json");
  EXPECT_EQ(exchange("OPTIONS /nothing HTTP/1.1\r\nHost: x\r\n\r\n")->status, 404);
  EXPECT_EQ(exchange("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")->status, 204);
}

TEST_F(HttpExchange, LongPathsAreAnsweredNotFollowed) {
  std::string segments;
  for (int i = 0; i < 2'000; ++i) segments += "/a";
  EXPECT_EQ(exchange(get_request(segments))->status, 404);
  EXPECT_EQ(exchange(get_request(std::string(50'000, '/')))->status, 414);
  EXPECT_EQ(exchange(get_request("/" + std::string(1'500'000, 'a')))->status, 414);
  EXPECT_EQ(exchange(get_request("/hello", "X: " + std::string(100'000, 'a') + "\r\n"))->status,
            431);
  EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
}

TEST_F(HttpExchange, ARequestComesByteByByte) {
  RawClient client(port());
  for (const char c : post_request("/upload", "hello") + get_request("/hello")) {
    client.send(std::string_view(&c, 1));
  }
  EXPECT_EQ(client.read_response()->body, "hello");
  EXPECT_EQ(client.read_response()->body, "hello");
}

TEST_F(HttpExchange, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(port());
  std::string requests;
  for (int i = 0; i < kPipelined; ++i) {
    requests += i % 3 == 0 ? post_request("/upload", std::to_string(i))
                           : get_request("/show/" + std::to_string(i));
  }
  std::jthread sender([&] { client.send(requests); });
  for (int i = 0; i < kPipelined; ++i) {
    const auto response = client.read_response();
    ASSERT_TRUE(response) << i;
    ASSERT_THAT(response->body, ::testing::StartsWith(std::to_string(i)));
  }
  sender.join();
}

TEST_F(HttpExchange, WhoSendsOnWithoutReadingIsNotReadFurther) {
  RawClient client(port());
  const std::string request = get_request("/bytes/100000");
  std::size_t sent = 0;
  // The kernel's buffers fill at both ends, and then no more is taken: nothing piles up here.
  for (int full = 0; full < 200 && sent < kMoreThanBuffers;) {
    const long taken = client.send_some(request);
    ASSERT_GE(taken, 0);
    sent += static_cast<std::size_t>(taken);
    if (taken > 0) {
      full = 0;
    } else {
      std::this_thread::yield();
      ++full;
    }
  }
  EXPECT_LT(sent, kMoreThanBuffers);
  EXPECT_EQ(client.read_response()->status, 200);
}

TEST_F(HttpExchange, ConnectionsEndWhereTheClientAsks) {
  RawClient close(port());
  close.send(get_request("/hello", "Connection: close\r\n") + get_request("/hello"));
  EXPECT_EQ(close.read_response()->header("connection"), "close");
  EXPECT_TRUE(close.at_end());  // the second request was not answered

  RawClient old(port());
  old.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_response()->header("connection"), "close");
  EXPECT_TRUE(old.at_end());

  RawClient kept(port());
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.read_response()->header("connection"), "keep-alive");
  kept.send(get_request("/hello"));
  EXPECT_EQ(kept.read_response()->status, 200);
}

TEST_F(HttpExchange, AClientThatHasFinishedSendingIsStillAnswered) {
  RawClient client(port());
  client.send(get_request("/hello") + get_request("/later") + get_request("/hello"));
  client.finish_sending();
  EXPECT_EQ(client.read_response()->status, 200);
  take_kept().send(Response{.status = 202, .headers = {}, .body = {}});
  EXPECT_EQ(client.read_response()->status, 202);
  EXPECT_EQ(client.read_response()->status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpExchange, WhatFrontEndsMightReadOtherwiseEndsTheConnection) {
  for (const auto& [request, status] : std::vector<std::pair<std::string, int>>{
           {"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            400},
           {"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n", 400},
           {"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Content-Length: 5\r\n\r\n",
            400},
           {"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
           {"POST /upload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           {"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
            400},
           {"GET /hello HTTP/1.1\r\n\r\n", 400},
           {"GET /hello HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
           {"GET /hello HTTP/3.0\r\nHost: x\r\n\r\n", 505},
           {"GET /hello HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400},
           {"GET /h%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
       }) {
    RawClient client(port());
    client.send(request + "0\r\n\r\n" + get_request("/hello"));
    const auto response = client.read_response();
    ASSERT_TRUE(response) << request;
    EXPECT_EQ(response->status, status) << request;
    EXPECT_EQ(response->header("connection"), "close");
    EXPECT_TRUE(client.at_end()) << request;  // the smuggled request found no ear
  }
}

TEST_F(HttpExchange, AnswersMayComeLaterFromAnyThread) {
  RawClient client(port());
  client.send(get_request("/later") + get_request("/hello"));
  std::jthread other([this] {
    Response response;
    response.body = std::string("late");
    take_kept().send(std::move(response));
  });
  EXPECT_EQ(client.read_response()->body, "late");
  EXPECT_EQ(client.read_response()->body, "hello");  // waited for its turn
  other.join();
}

TEST_F(HttpExchange, ManyAnswersFromManyThreads) {
  std::atomic<bool> done{false};
  std::vector<std::jthread> answering;
  answering.reserve(3);
  for (int i = 0; i < 3; ++i) {
    answering.emplace_back([&] {
      while (!done) {
        std::shared_ptr<Responder> next;
        kept_.update([&](auto& kept) {
          if (kept.empty()) return;
          next = kept.front();
          kept.pop_front();
        });
        if (!next) {
          std::this_thread::yield();
          continue;
        }
        Response response;
        response.body = std::string(10'000, 'z');
        next->send(std::move(response));
      }
    });
  }
  std::deque<RawClient> clients;
  for (int i = 0; i < kLateClients; ++i) clients.emplace_back(port());
  for (int round = 0; round < kLateRounds; ++round) {
    for (RawClient& client : clients) client.send(get_request("/later"));
    for (RawClient& client : clients) {
      const auto response = client.read_response();
      ASSERT_TRUE(response);
      ASSERT_EQ(response->body.size(), 10'000U);
    }
  }
  done = true;
  for (std::jthread& thread : answering) thread.join();
}

TEST_F(HttpExchange, AForgottenResponderIsA500) {
  EXPECT_EQ(exchange(get_request("/forget"))->status, 500);
  RawClient client(port());
  client.send(get_request("/later"));
  { const Responder dropped = take_kept(); }
  const auto response = client.read_response();
  EXPECT_EQ(response->status, 500);
  EXPECT_THAT(response->body, HasSubstr("no-answer"));
}

TEST_F(HttpExchange, AHandlersExceptionCostsOneConnection) {
  RawClient other(port());
  other.send(get_request("/later"));
  EXPECT_EQ(exchange(get_request("/throw")), std::nullopt);
  take_kept().send(Response{});
  EXPECT_EQ(other.read_response()->status, 200);
}

TEST_F(HttpExchange, MalformedAnswersAre500) {
  for (const char* code : {"100", "0", "99", "600", "-1"}) {
    EXPECT_EQ(exchange(get_request(std::string("/status/") + code))->status, 500) << code;
  }
}

TEST_F(HttpExchange, AnAnswerToAClientThatLeftIsDropped) {
  for (const bool politely : {true, false}) {
    RawClient client(port());
    client.send(get_request("/later"));
    Responder responder = take_kept();
    politely ? client.close() : client.reset();
    Response response;
    response.body = std::string(5'000'000, 'x');
    responder.send(std::move(response));
  }
  EXPECT_EQ(exchange(get_request("/hello"))->status, 200);
}

TEST_F(HttpExchange, LargeAnswersArriveWhole) {
  const auto response = exchange(get_request("/bytes/" + std::to_string(kLargeAnswer)));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.size(), kLargeAnswer);
  EXPECT_EQ(response->body.find_first_not_of('b'), std::string::npos);
}

TEST_F(HttpExchange, CountsWhatItDoes) {
  RawClient client(port());
  client.send(get_request("/hello") + get_request("/nothing"));
  EXPECT_EQ(client.read_response()->status, 200);
  EXPECT_EQ(client.read_response()->status, 404);
  client.send(get_request("/hello"));  // the ones before have been counted when this is answered
  EXPECT_EQ(client.read_response()->status, 200);
  const std::string text = metrics_.expose();
  EXPECT_THAT(text, HasSubstr("thumb_http_requests_total{method=\"GET\",status=\"404\"} 1"));
  EXPECT_THAT(text, HasSubstr("thumb_http_connections 1"));
  EXPECT_THAT(text, HasSubstr("thumb_http_inflight_body_bytes 0"));
  EXPECT_THAT(text, HasSubstr("thumb_http_request_duration_seconds_count"));
}

}  // namespace
}  // namespace thumb::http
