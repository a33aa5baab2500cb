// Answers as bytes: heads, problems, and the promise to answer once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform/http/body_budget.h"
#include "platform/http/message.h"
#include "platform/http/problem.h"
#include "platform/http/response_head.h"

namespace thumb::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string head_of(const Response& response, HeadContext context = {}) {
  context.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  std::string out;
  append_response_head(out, response, context);
  return out;
}

TEST(ResponseHead, HoldsWhatEveryAnswerNeeds) {
  Response response;
  response.set("Content-Type", "text/plain");
  EXPECT_EQ(head_of(response, {.body_length = 18'446'744'073'709'551'615ULL}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 18446744073709551615\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST(ResponseHead, SaysHowTheConnectionGoesOn) {
  EXPECT_THAT(head_of({}, {.keep_alive = false}), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(head_of({}, {.http10 = true}), HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(head_of({}), Not(HasSubstr("Connection")));
}

TEST(ResponseHead, NoLengthWhereThereIsNoBody) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
    EXPECT_FALSE(carries_body(status, Method::kGet));
  }
  EXPECT_FALSE(carries_body(200, Method::kHead));
  EXPECT_TRUE(carries_body(200, Method::kGet));
}

TEST(ResponseHead, AValueCanNotEndTheHead) {
  Response response;
  response.set("X-Name", std::string("a\r\nSet-Cookie: b\r\n\r\n<html>\0\x7f", 28));
  response.set("Bad Name", "x").set("", "y").set("Evil\r\nX", "z");
  response.set("content-length", "7").set("Transfer-Encoding", "chunked").set("DATE", "never");
  const std::string head = head_of(response);
  EXPECT_THAT(head, HasSubstr("X-Name: a  Set-Cookie: b    <html>  \r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Evil")));
  EXPECT_THAT(head, Not(HasSubstr("Bad")));
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  EXPECT_THAT(head, Not(HasSubstr("never")));
  EXPECT_EQ(head.find("\r\n\r\n"), head.size() - 4);
  EXPECT_THAT(head, HasSubstr("Content-Length: 0\r\n"));
}

TEST(ResponseHead, DatesAsTheRfcWritesThem) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1'709'164'800), "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(Problem, IsAnRfc9457Document) {
  const Response response = problem(
      Error{ErrorKind::kTooLarge, Retry::kNever, "body-too-large", "Too \"big\".", "secret"});
  EXPECT_EQ(response.status, 413);
  const auto text = std::get<std::string>(response.body);
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json, (nlohmann::json{{"type", "/problems/body-too-large"},
                                  {"title", "Body too large"},
                                  {"status", 413},
                                  {"detail", "Too \"big\"."},
                                  {"code", "body-too-large"}}));
  const std::string head = head_of(response);
  EXPECT_THAT(head, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Retry-After")));
}

TEST(Problem, EachKindHasItsStatus) {
  const std::vector<std::pair<ErrorKind, int>> expected{
      {ErrorKind::kInvalid, 400},  {ErrorKind::kUnsupported, 415}, {ErrorKind::kTooLarge, 413},
      {ErrorKind::kLimit, 422},    {ErrorKind::kNotFound, 404},    {ErrorKind::kConflict, 409},
      {ErrorKind::kTimeout, 503},  {ErrorKind::kUnavailable, 503}, {ErrorKind::kCorrupt, 500},
      {ErrorKind::kInternal, 500},
  };
  for (const auto& [kind, status] : expected) {
    EXPECT_EQ(status_of(kind), status);
    const std::string head = head_of(problem(Error{kind, Retry::kNever, "c", "m", ""}));
    EXPECT_EQ(head.find("Retry-After: ") != std::string::npos, status == 503);
  }
}

TEST(Problem, BytesThatAreNoTextAreReplaced) {
  EXPECT_TRUE(nlohmann::json::accept(problem_json(400, "c", "a\xff\x80z")));
}

class RecordingChannel final : public Responder::Channel {
 public:
  void send(Response response) override { statuses.push_back(response.status); }
  std::vector<int> statuses;
};

TEST(Responder, AnswersExactlyOnce) {
  const auto channel = std::make_shared<RecordingChannel>();
  {
    Responder responder(channel);
    Responder moved(std::move(responder));
    moved.send(Response{.status = 202, .headers = {}, .body = {}});
  }
  EXPECT_THAT(channel->statuses, testing::ElementsAre(202));
}

TEST(Responder, OneForgottenIsA500) {
  const auto channel = std::make_shared<RecordingChannel>();
  { const Responder forgotten(channel); }
  EXPECT_THAT(channel->statuses, testing::ElementsAre(500));
}

TEST(BodyBudget, IsNeverExceededAndGivenBack) {
  Metrics metrics;
  auto& gauge = metrics.gauge("g", "g");
  BodyBudget budget(100, gauge);
  {
    BodyReservation first(budget);
    BodyReservation second(budget);
    EXPECT_TRUE(first.grow(60));
    EXPECT_FALSE(second.grow(41));
    EXPECT_TRUE(second.grow(40));
    EXPECT_FALSE(second.grow(std::numeric_limits<std::uint64_t>::max()));
    EXPECT_EQ(gauge.Value(), 100);
    first.release();
    EXPECT_TRUE(second.grow(60));
  }
  EXPECT_EQ(gauge.Value(), 0);
  EXPECT_TRUE(budget.try_take(100));
}

}  // namespace
}  // namespace thumb::http
