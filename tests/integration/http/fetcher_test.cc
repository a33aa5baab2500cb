// The client that our services ask each other with, against the real server.
#include "platform/http_fetcher.h"

#include "tests/integration/http/server_fixture.h"

namespace thumb::http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{60'000};

class Fetcher : public HttpServerTest {
 protected:
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }
};

TEST_F(Fetcher, AsksAsItIsToldTo) {
  start();
  HttpFetcher fetcher(1);
  for (int i = 0; i < 3; ++i) {  // on one connection, whose handle forgets what was asked before
    const auto posted = fetcher.fetch_and_wait(url("/plain"), kPatience, FetchMethod::kPost);
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->status, 200);
    EXPECT_EQ(posted->body, "plain");
    EXPECT_EQ(fetcher.fetch_and_wait(url("/plain"), kPatience)->status, 405);
    EXPECT_EQ(fetcher.fetch_and_wait(url("/hello"), kPatience)->body, "hello");
  }
}

TEST_F(Fetcher, SaysThatNobodyIsThere) {
  start();
  const auto gone = url("/hello");
  server_.reset();
  HttpFetcher fetcher(1);
  const auto answer = fetcher.fetch_and_wait(gone, kPatience);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "not-reached");
  EXPECT_EQ(answer.error().retry, Retry::kBackoff);
}

TEST_F(Fetcher, WaitsForAnAnswerAndForASizeThatAreWithinItsLimits) {
  start();
  HttpFetcher fetcher(1, 1'000);
  EXPECT_EQ(fetcher.fetch_and_wait(url("/bytes/1000"), kPatience)->body.size(), 1'000U);
  EXPECT_EQ(fetcher.fetch_and_wait(url("/bytes/1001"), kPatience).error().code, "answer-too-large");
  const auto late = fetcher.fetch_and_wait(url("/later"), milliseconds(50));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "no-answer");
}

TEST_F(Fetcher, ItsEndAnswersWhatIsUnderWay) {
  start();
  std::optional<Responder> unanswered;  // for as long as it is there
  std::optional<Result<Fetched>> answer;
  {
    HttpFetcher fetcher(1);
    fetcher.fetch(url("/later"), kPatience, [&](const Result<Fetched>& given) { answer = given; });
    unanswered.emplace(take_kept());
  }
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, "not-reached");
}

}  // namespace
}  // namespace thumb::http
