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

TEST(InRecord, IsTheSameAfterBeingLookedAtAndTakenOver) {
  const InRecord full{"topic", {3, 7}, time_from_ms(5), "key", "value", {{"a", "1"}, {"b", ""}}};
  const InRecord tombstone{"topic", {0, 0}, time_from_ms(0), "key", std::nullopt, {}};
  for (const auto& record : {full, tombstone}) {
    const auto back = owned(view_of(record));
    EXPECT_EQ(back.topic, record.topic);
    EXPECT_EQ(back.position, record.position);
    EXPECT_EQ(back.timestamp, record.timestamp);
    EXPECT_EQ(back.key, record.key);
    EXPECT_EQ(back.value, record.value);
    EXPECT_EQ(back.headers, record.headers);
  }
}

}  // namespace
}  // namespace thumb
