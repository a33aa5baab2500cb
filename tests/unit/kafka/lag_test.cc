// How old a lag is: never negative, and nothing where there is none or where it is not known.
#include <gtest/gtest.h>

#include "kafka/lag_watcher.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;

const TimeMs kNow = time_from_ms(1'700'000'000'000);

TEST(Lag, IsAsOldAsTheFirstRecordThatWasNotRead) {
  const Lag lag{3, 5, kNow - milliseconds(1'234)};
  EXPECT_EQ(lag.records(), 2);
  EXPECT_EQ(lag.age(kNow), milliseconds(1'234));
}

TEST(Lag, HasNoAgeWithoutRecordsOrWithoutATime) {
  EXPECT_EQ((Lag{5, 5, kNow - milliseconds(1)}.age(kNow)), milliseconds(0));
  EXPECT_EQ((Lag{6, 5, kNow - milliseconds(1)}.age(kNow)), milliseconds(0));
  EXPECT_EQ((Lag{3, 5, std::nullopt}.age(kNow)), milliseconds(0));
}

TEST(Lag, IsNotNegativeWhereTheBrokersClockIsAhead) {
  EXPECT_EQ((Lag{3, 5, kNow + milliseconds(50)}.age(kNow)), milliseconds(0));
}

}  // namespace
}  // namespace thumb::kafka
