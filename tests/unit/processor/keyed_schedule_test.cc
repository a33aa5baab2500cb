#include "processor/keyed_schedule.h"

#include <gtest/gtest.h>

namespace thumb {
namespace {

constexpr auto kWork = RunsAfter::kEarlierFinished;
constexpr auto kDelete = RunsAfter::kEarlierCommitted;

LogPosition at(std::int64_t offset, std::int32_t partition = 0) { return {partition, offset}; }

TEST(KeyedSchedule, DifferentKeysRunAtOnce) {
  KeyedSchedule schedule;
  schedule.add("a", at(0), kWork);
  schedule.add("b", at(1), kWork);
  EXPECT_EQ(schedule.take(), at(0));
  EXPECT_EQ(schedule.take(), at(1));
  EXPECT_EQ(schedule.take(), std::nullopt);
}

TEST(KeyedSchedule, OneKeyRunsInOrderOneAtATime) {
  KeyedSchedule schedule;
  schedule.add("a", at(0), kWork);
  schedule.add("a", at(1), kWork);
  EXPECT_EQ(schedule.take(), at(0));
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.finish(at(0));
  EXPECT_EQ(schedule.take(), at(1));
}

TEST(KeyedSchedule, ADeleteWaitsForTheCommitOfAllBeforeIt) {
  KeyedSchedule schedule;
  schedule.add("a", at(0), kWork);
  schedule.add("a", at(1), kWork);
  schedule.add("a", at(2), kDelete);
  schedule.add("a", at(3), kWork);
  for (const int offset : {0, 1}) {
    EXPECT_EQ(schedule.take(), at(offset));
    schedule.finish(at(offset));
  }
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.commit(at(0));
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.commit(at(1));
  EXPECT_EQ(schedule.take(), at(2));
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.finish(at(2));
  EXPECT_EQ(schedule.take(), at(3));
}

TEST(KeyedSchedule, ADeleteAloneRunsAtOnce) {
  KeyedSchedule schedule;
  schedule.add("a", at(0), kDelete);
  EXPECT_EQ(schedule.take(), at(0));
}

TEST(KeyedSchedule, WhatIsResumedKeepsItsPlaceInItsLine) {
  KeyedSchedule schedule;
  schedule.add("a", at(0), kWork);
  schedule.add("a", at(1), kWork);
  EXPECT_EQ(schedule.take(), at(0));
  schedule.resume(at(0));
  schedule.resume(at(0));  // once is enough
  EXPECT_EQ(schedule.take(), at(0));
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.finish(at(0));
  EXPECT_EQ(schedule.take(), at(1));
}

TEST(KeyedSchedule, ADroppedPartitionLeavesTheOthersAlone) {
  KeyedSchedule schedule;
  schedule.add("a", at(0, 0), kWork);
  schedule.add("a", at(1, 0), kWork);
  schedule.add("b", at(0, 1), kWork);
  schedule.add("b", at(1, 1), kWork);
  EXPECT_EQ(schedule.take(), at(0, 0));
  EXPECT_EQ(schedule.take(), at(0, 1));
  schedule.drop(0);
  schedule.resume(at(0, 0));
  EXPECT_EQ(schedule.size(), 2U);
  EXPECT_EQ(schedule.take(), std::nullopt);
  schedule.finish(at(0, 1));
  EXPECT_EQ(schedule.take(), at(1, 1));
}

}  // namespace
}  // namespace thumb
