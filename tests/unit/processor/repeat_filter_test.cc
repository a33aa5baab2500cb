#include "processor/repeat_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::minutes;

RequestKey key(std::uint8_t n, std::uint32_t attempt = 0) { return {request_id(n), attempt}; }

TEST(RepeatFilter, ASecondOccurrenceWithinTheWindowIsARepeat) {
  RepeatFilter filter;
  EXPECT_FALSE(filter.observe(key(1), 10, kNoon));
  EXPECT_FALSE(filter.observe(key(2), 11, kNoon));
  EXPECT_TRUE(filter.observe(key(1), 12, kNoon + minutes(15)));
  EXPECT_FALSE(filter.observe(key(2), 13, kNoon + minutes(15) + std::chrono::milliseconds(1)));
}

TEST(RepeatFilter, TheSameOffsetSeenAgainIsNoRepeat) {
  RepeatFilter filter;
  EXPECT_FALSE(filter.observe(key(1), 10, kNoon));
  EXPECT_FALSE(filter.observe(key(1), 10, kNoon));
  EXPECT_TRUE(filter.observe(key(1), 11, kNoon));
  EXPECT_TRUE(filter.observe(key(1), 11, kNoon));
}

TEST(RepeatFilter, ARedriveIsAnotherAttempt) {
  RepeatFilter filter;
  EXPECT_FALSE(filter.observe(key(1, 0), 10, kNoon));
  EXPECT_FALSE(filter.observe(key(1, 1), 11, kNoon));
  EXPECT_TRUE(filter.observe(key(1, 1), 12, kNoon));
}

TEST(RepeatFilter, MemoryIsBounded) {
  RepeatFilter filter(3);
  for (std::uint8_t n = 0; n < 50; ++n) EXPECT_FALSE(filter.observe(key(n), n, kNoon));
  EXPECT_EQ(filter.size(), 3U);
  EXPECT_TRUE(filter.observe(key(49), 50, kNoon));
  RepeatFilter aging;
  for (std::uint8_t n = 0; n < 50; ++n) {
    EXPECT_FALSE(aging.observe(key(n), n, kNoon + n * minutes(16)));
  }
  EXPECT_EQ(aging.size(), 1U);
}

struct Seen {
  std::uint8_t request = 0;
  TimeMs at;
};

// The rule itself, from the whole log.
bool is_repeat(const std::vector<Seen>& log, std::size_t at) {
  for (std::size_t i = 0; i < at; ++i) {
    if (log[i].request == log[at].request && log[at].at - log[i].at <= kRepeatWindow) return true;
  }
  return false;
}

RC_GTEST_PROP(RepeatFilter, IsAFunctionOfTheLogWhereverAnAssignmentBegins, ()) {
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 5), rc::gen::inRange(0, 6)));
  std::vector<Seen> log;
  TimeMs at = kNoon;
  for (const auto& [request, pause] : steps) {
    log.push_back({static_cast<std::uint8_t>(request), at += minutes(pause)});
  }
  RC_PRE(!log.empty());
  const auto start = *rc::gen::inRange<std::size_t>(0, log.size());
  std::size_t warm_up = start;
  while (warm_up > 0 && log[start].at - log[warm_up - 1].at <= kRepeatWindow) --warm_up;
  RepeatFilter filter;
  for (std::size_t i = warm_up; i < log.size(); ++i) {
    const bool repeat =
        filter.observe(key(log[i].request), static_cast<std::int64_t>(i), log[i].at);
    if (i >= start) RC_ASSERT(repeat == is_repeat(log, i));
  }
}

}  // namespace
}  // namespace thumb
