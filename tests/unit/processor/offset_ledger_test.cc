#include "processor/offset_ledger.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "processor/backoff.h"

namespace thumb {
namespace {

constexpr std::size_t kAll = 1'000'000;

TEST(OffsetLedger, CommitsTheContiguousFinishedPrefix) {
  OffsetLedger ledger(10);
  for (const int offset : {10, 11, 12}) ledger.begin(offset);
  EXPECT_EQ(ledger.committable(kAll), 10);
  ledger.finish(11);
  EXPECT_EQ(ledger.committable(kAll), 10);
  ledger.finish(10);
  EXPECT_EQ(ledger.committable(kAll), 12);
  ledger.settle(12);
  EXPECT_EQ(ledger.next_commit(), 12);
  EXPECT_EQ(ledger.open(), 1U);
}

TEST(OffsetLedger, GapsInOffsetsAreNotWaitedFor) {
  OffsetLedger ledger(0);
  for (const int offset : {3, 9}) {
    ledger.begin(offset);
    ledger.finish(offset);
  }
  EXPECT_EQ(ledger.committable(kAll), 10);
  EXPECT_EQ(ledger.committable(1), 4);
  EXPECT_EQ(ledger.committable(0), 0);
}

RC_GTEST_PROP(OffsetLedger, EqualsTheDefinitionForEveryOrderOfFinishing, ()) {
  const auto gaps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 4));
  OffsetLedger ledger(5);
  std::vector<std::int64_t> offsets;
  std::int64_t next = 4;
  for (const int gap : gaps) offsets.push_back(next += gap);
  for (const auto offset : offsets) ledger.begin(offset);
  const auto finished = *rc::gen::arbitrary<std::set<std::size_t>>();
  std::set<std::int64_t> done;
  for (const auto index : finished) {
    if (offsets.empty()) break;
    done.insert(offsets[index % offsets.size()]);
  }
  for (const auto offset : done) ledger.finish(offset);
  std::int64_t expected = 5;
  std::size_t ready = 0;
  for (const auto offset : offsets) {
    if (!done.contains(offset)) break;
    expected = offset + 1;
    ++ready;
  }
  RC_ASSERT(ledger.committable(kAll) == expected);
  RC_ASSERT(ledger.ready() == ready);
  ledger.settle(expected);
  RC_ASSERT(ledger.committable(kAll) == expected);
}

RC_GTEST_PROP(Backoff, DoublesUpToItsLimit, ()) {
  using std::chrono::milliseconds;
  const Backoff backoff{milliseconds(100), milliseconds(30'000)};
  const auto failures = *rc::gen::inRange<unsigned>(0, 1'000'000);
  const auto jitter = *rc::gen::inRange(0, 1'000) / 1'000.0;
  const auto delay = backoff.delay(failures, jitter);
  RC_ASSERT(delay >= milliseconds(50) && delay <= milliseconds(30'000));
  if (failures >= 10) RC_ASSERT(delay >= milliseconds(15'000));
  RC_ASSERT(backoff.delay(failures + 1, jitter) >= delay);
}

}  // namespace
}  // namespace thumb
