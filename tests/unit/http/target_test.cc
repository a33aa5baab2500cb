#include "platform/http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thumb::http {
namespace {

TEST(Target, DecodesPathAndQueryOnce) {
  const auto target = parse_target("/a%2520b/%C3%A9?x=1+2&y=%2B&flag&=v&&z=%26%3D");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->raw_path, "/a%2520b/%C3%A9");
  EXPECT_EQ(target->path, "/a%20b/\xC3\xA9");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(target->query,
              testing::ElementsAre(Pair("x", "1 2"), Pair("y", "+"), Pair("flag", ""),
                                   Pair("", "v"), Pair("z", "&=")));
}

TEST(Target, PlusIsAPlusInThePath) { EXPECT_EQ(parse_target("/a+b")->path, "/a+b"); }

TEST(Target, AbsoluteForm) {
  EXPECT_EQ(parse_target("http://h:1/a?b=c")->path, "/a");
  EXPECT_EQ(parse_target("HTTPS://h")->path, "/");
  EXPECT_EQ(parse_target("http://h?b=c")->query.size(), 1U);
  EXPECT_EQ(parse_target("ftp://h/a").error().code, "bad-target");
}

TEST(Target, RefusesWhatIsNoText) {
  for (const char* text : {"", "a", "?x=1", "/%", "/%4", "/%4g", "/%00", "/%ff", "/?a=%00",
                           "/?%e2%28%a1=1", "/\xC3\xA9", "/a#b", "/a b", "//\x7f"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(target.error().code, "bad-target");
  }
}

}  // namespace
}  // namespace thumb::http
