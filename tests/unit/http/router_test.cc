#include "platform/http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thumb::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const auto& [method, pattern] : std::vector<std::pair<Method, std::string>>{
             {Method::kGet, "/"},
             {Method::kGet, "/v1/images"},
             {Method::kGet, "/v1/images/{id}"},
             {Method::kDelete, "/v1/images/{id}"},
             {Method::kGet, "/v1/images/{id}/thumbnails/{variant}"},
             {Method::kGet, "/v1/{kind}/latest"},
             {Method::kGet, "/v1/images/latest"},
             {Method::kHead, "/v1/images/latest"},
             {Method::kOptions, "/files"},
         }) {
      router_.add(method, pattern, [](const Request&, Responder) {});
    }
    router_.add_upload(Method::kPost, "/v1/images",
                       [](const Request&) -> Result<std::unique_ptr<BodyReceiver>> {
                         return fail(ErrorKind::kInvalid, "x", "x");
                       });
  }

  [[nodiscard]] std::string pattern(Method method, std::string_view path) const {
    const auto match = router_.match(method, path);
    return match.route == nullptr ? "" : match.route->pattern;
  }

  Router router_;
};

TEST_F(RouterTest, MatchesLiteralsAndParameters) {
  EXPECT_EQ(pattern(Method::kGet, "/"), "/");
  EXPECT_EQ(pattern(Method::kGet, "/v1/images"), "/v1/images");
  EXPECT_EQ(pattern(Method::kPost, "/v1/images"), "/v1/images");
  const auto match = router_.match(Method::kGet, "/v1/images/42/thumbnails/small");
  EXPECT_THAT(match.params, ElementsAre(Pair("id", "42"), Pair("variant", "small")));
}

TEST_F(RouterTest, DecodesSegmentsOneByOne) {
  EXPECT_EQ(pattern(Method::kGet, "/v1/im%61ges"), "/v1/images");
  const auto match = router_.match(Method::kGet, "/v1/images/a%2Fb%3Fc");
  ASSERT_NE(match.route, nullptr);
  EXPECT_THAT(match.params, ElementsAre(Pair("id", "a/b?c")));
  EXPECT_EQ(pattern(Method::kGet, "/v1%2Fimages"), "");
}

TEST_F(RouterTest, AParameterTakesOneNonEmptySegment) {
  EXPECT_EQ(pattern(Method::kGet, "/v1/images/"), "");
  EXPECT_EQ(pattern(Method::kGet, "/v1/images/a/"), "");
  EXPECT_EQ(pattern(Method::kGet, "/v1//images"), "");
  EXPECT_EQ(pattern(Method::kGet, "/v1/images/.."), "/v1/images/{id}");  // just a name
}

TEST_F(RouterTest, LiteralsGoFirstWhateverTheOrder) {
  EXPECT_EQ(pattern(Method::kGet, "/v1/images/latest"), "/v1/images/latest");
  EXPECT_EQ(pattern(Method::kGet, "/v1/videos/latest"), "/v1/{kind}/latest");
  EXPECT_EQ(pattern(Method::kDelete, "/v1/images/latest"), "/v1/images/{id}");
}

TEST_F(RouterTest, GetAnswersHeadUnlessThereIsAHeadRoute) {
  const auto by_get = router_.match(Method::kHead, "/v1/images/7");
  ASSERT_NE(by_get.route, nullptr);
  EXPECT_EQ(by_get.route->method, Method::kGet);
  const auto by_head = router_.match(Method::kHead, "/v1/images/latest");
  ASSERT_NE(by_head.route, nullptr);
  EXPECT_EQ(by_head.route->method, Method::kHead);
}

TEST_F(RouterTest, OtherMethodsLearnWhatIsAllowed) {
  const auto match = router_.match(Method::kPut, "/v1/images");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_THAT(match.allowed,
              ElementsAre(Method::kGet, Method::kHead, Method::kPost, Method::kOptions));
  EXPECT_THAT(router_.match(Method::kGet, "/files").allowed, ElementsAre(Method::kOptions));
  EXPECT_THAT(router_.match(Method::kGet, "/nothing").allowed, IsEmpty());
}

TEST_F(RouterTest, AnswersAnyNumberOfSegments) {
  std::string segments;
  for (int i = 0; i < 2'000; ++i) segments += "/a";
  EXPECT_THAT(router_.match(Method::kGet, segments).allowed, IsEmpty());
  EXPECT_THAT(router_.match(Method::kGet, std::string(50'000, '/')).allowed, IsEmpty());
}

}  // namespace
}  // namespace thumb::http
