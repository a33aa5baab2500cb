#include "platform/log_position.h"

#include <gtest/gtest.h>

namespace thumb {
namespace {

TEST(LogPosition, ComesBackAsItWent) {
  const LogPosition position{11, 9'223'372'036'854'775'807};
  EXPECT_EQ(to_string(position), "11:9223372036854775807");
  EXPECT_EQ(parse_log_position(to_string(position)).value(), position);
}

TEST(LogPosition, RefusesAnythingElse) {
  for (const auto* text : {"", ":", "1", "1:", ":1", "-1:5", "1:-5", "1:5:7", " 1:5", "1:5 ",
                           "2147483648:0", "0:9223372036854775808", "a:b"}) {
    EXPECT_FALSE(parse_log_position(text)) << text;
  }
}

}  // namespace
}  // namespace thumb
