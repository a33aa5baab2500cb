// Path, query and header parameters: what is taken and what is named in the refusal.
#include "ingest/parameters.h"

#include <gtest/gtest.h>

#include "ingest/settings.h"
#include "platform/loopback.h"

namespace thumb::ingest {
namespace {

http::Request with_query(std::vector<std::pair<std::string, std::string>> query) {
  http::Request request;
  request.query = std::move(query);
  return request;
}

std::string list_code(std::vector<std::pair<std::string, std::string>> query) {
  const auto parsed = parse_list_query(with_query(std::move(query)));
  return parsed ? "ok" : parsed.error().code;
}

std::string min_position_code(const std::string& value) {
  http::Request request;
  request.headers.push_back({"min-position", value});
  const auto parsed = parse_min_positions(request);
  return parsed ? "ok" : parsed.error().code;
}

TEST(ListQuery, HasDefaults) {
  const auto query = parse_list_query(with_query({}));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->limit, 20U);
  EXPECT_FALSE(query->state);
  EXPECT_EQ(query->cursor, "");
}

TEST(ListQuery, TakesItsThreeParameters) {
  const auto query =
      parse_list_query(with_query({{"state", "failed"}, {"limit", "100"}, {"cursor", "c"}}));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->state, ImageState::kFailed);
  EXPECT_EQ(query->limit, 100U);
  EXPECT_EQ(query->cursor, "c");
}

TEST(ListQuery, NamesWhatIsWrong) {
  for (const auto* limit : {"0", "101", "-1", "x", "", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(list_code({{"limit", limit}}), "bad-limit") << limit;
  }
  EXPECT_EQ(list_code({{"state", "done"}}), "bad-state");
  EXPECT_EQ(list_code({{"cursor", std::string(513, 'a')}}), "bad-cursor");
  EXPECT_EQ(list_code({{"limt", "5"}}), "unknown-parameter");
  EXPECT_EQ(list_code({{"limit", "5"}, {"limit", "6"}}), "repeated-parameter");
}

TEST(Parameters, AnUnknownNameIsShownSafely) {
  const auto checked = check_parameters(with_query({{"a\"\n<b>", "1"}}), {});
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("'a\"?<b>'"), std::string::npos)
      << checked.error().message;
}

TEST(MinPosition, IsAListOfPositions) {
  http::Request request;
  request.headers.push_back({"Min-Position", "3:17, 0:4 ,11:9223372036854775807"});
  const auto positions = parse_min_positions(request);
  ASSERT_TRUE(positions);
  EXPECT_EQ(*positions, (std::vector<LogPosition>{{3, 17}, {0, 4}, {11, 9223372036854775807}}));
}

TEST(MinPosition, OfSeveralLinesIsOneList) {
  http::Request request;
  request.headers.push_back({"Min-Position", "3:17"});
  request.headers.push_back({"min-position", "0:4, 1:5"});
  EXPECT_EQ(parse_min_positions(request).value(),
            (std::vector<LogPosition>{{3, 17}, {0, 4}, {1, 5}}));
  request.headers.push_back({"Min-Position", "soon"});
  EXPECT_FALSE(parse_min_positions(request));
}

TEST(MinPosition, RefusesAnythingElse) {
  for (const auto* value : {"x", "1", "1:", ":1", "1:2:3", "1:2,", ",1:2", "-1:2", "1:-2", "1 : 2",
                            "99999999999:1", "1:99999999999999999999"}) {
    EXPECT_EQ(min_position_code(value), "bad-min-position") << value;
  }
  std::string many = "0:0";
  for (int i = 0; i < 100; ++i) many += ",0:0";
  EXPECT_EQ(min_position_code(many), "bad-min-position");
}

TEST(ImageQueryParameters, WantAUuid) {
  http::Request request;
  for (const auto* id : {"x", "0198c5b2", "0198c5b27e1a7abc8def0123456789ab",
                         "0198c5b2-7e1a-7abc-8def-0123456789az", "../etc"}) {
    request.params["id"] = id;
    const auto query = parse_image_query(request);
    ASSERT_FALSE(query) << id;
    EXPECT_EQ(query.error().code, "bad-id");
  }
  request.params["id"] = "0198C5B2-7E1A-7ABC-8DEF-0123456789AB";
  EXPECT_TRUE(parse_image_query(request));
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b&c=d/\xC3\xA9"), "a%20b%26c%3Dd%2F%C3%A9");
}

TEST(Loopback, IsToldFromTheRest) {
  for (const auto* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const auto* host :
       {"0.0.0.0", "::", "192.168.1.1", "example.org", "", "127.0.0.1.evil.org"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace thumb::ingest
