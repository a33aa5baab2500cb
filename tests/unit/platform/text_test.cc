#include "platform/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace thumb {
namespace {

TEST(ParseNumber, TakesWholeNumbersOnly) {
  EXPECT_EQ(parse_u64("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_i64("-42"), -42);
  for (const auto* text : {"", " 1", "1 ", "+1", "-1", "1e3", "18446744073709551616", "0x10"}) {
    EXPECT_FALSE(parse_u64(text)) << text;
  }
}

TEST(Hex, ComesBackAsItWent) {
  EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\xff\x1a", 3))), "00ff1a");
  EXPECT_TRUE(rc::check("hex round trip", [](const std::string& bytes) {
    RC_ASSERT(from_hex(to_hex(as_bytes(bytes))) == bytes);
  }));
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(Utf8, AcceptsWellFormedText) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("h\xc3\xa9llo \xe2\x98\x80 \xf0\x9f\x93\xb7"));
}

TEST(Utf8, RefusesOverlongSurrogatesAndCutSequences) {
  for (const auto* text : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                           "\xe2\x98", "\x80", "a\xf0\x9f\x93"}) {
    EXPECT_FALSE(is_utf8(text)) << to_hex(as_bytes(text));
  }
}

TEST(Base64, IsThatOfTheRfc) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : examples) EXPECT_EQ(to_base64(as_bytes(bytes)), text);
}

TEST(Utf8Excerpt, CutsBetweenCharactersAndReplacesWhatIsNone) {
  EXPECT_EQ(utf8_excerpt("short", 10), "short");
  EXPECT_EQ(utf8_excerpt("a\xC3\xA4"
                         "b",
                         3),
            "a\xC3\xA4");
  EXPECT_EQ(utf8_excerpt("a\xC3\xA4"
                         "b",
                         2),
            "a");
  EXPECT_EQ(utf8_excerpt("a\xFF"
                         "b\xC3",
                         10),
            "a?b?");
  EXPECT_TRUE(is_utf8(utf8_excerpt("\xED\xA0\x80\xF0\x9F", 10)));
}

}  // namespace
}  // namespace thumb
