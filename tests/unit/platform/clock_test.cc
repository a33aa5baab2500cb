// Times cross every interface as text: they must come back as they went.
#include "platform/clock.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace thumb {
namespace {

TEST(Rfc3339, WritesMilliseconds) {
  EXPECT_EQ(to_rfc3339(time_from_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(time_from_ms(1'769'847'330'123)), "2026-01-31T08:15:30.123Z");
}

TEST(Rfc3339, ReadsZonesAndFractions) {
  const auto expected = time_from_ms(1'769'847'330'120);
  for (const auto* text : {"2026-01-31T08:15:30.12Z", "2026-01-31t08:15:30.1209999z",
                           "2026-01-31T10:15:30.120+02:00", "2026-01-31T02:45:30.120-05:30"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const auto* text : {"", "now", "2026-01-31", "2026-01-31T08:15:30", "2026-02-30T08:15:30Z",
                           "2026-01-31T24:00:00Z", "2026-01-31T08:60:00Z", "2026-01-31T08:15:30.Z",
                           "2026-01-31T08:15:30+2:00", "2026-01-31 08:15:30Z",
                           "-026-01-31T08:15:30Z", "2026-01-31T08:15:30Z trailing"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Rfc3339, ComesBackAsItWent) {
  EXPECT_TRUE(rc::check("write then read", [] {
    const auto ms = *rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999);  // year 9999
    const auto parsed = parse_rfc3339(to_rfc3339(time_from_ms(ms)));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(to_ms(*parsed) == ms);
  }));
}

TEST(Rfc3339, AnyTextIsAnsweredWithoutHarm) {
  EXPECT_TRUE(rc::check("total", [](const std::string& text) { (void)parse_rfc3339(text); }));
}

}  // namespace
}  // namespace thumb
