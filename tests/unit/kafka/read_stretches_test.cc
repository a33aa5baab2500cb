#include "kafka/read_stretches.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/record_views.h"

namespace thumb::kafka {
namespace {

using std::chrono::milliseconds;

// Hands out the batches that it was given, then nothing.
class ScriptedReader final : public PartitionReader {
 public:
  struct Batch {
    std::vector<InRecord> records;
    std::vector<PartitionOffset> ends;
  };
  std::deque<Batch> batches;
  std::vector<PartitionOffset> assigned;

  Result<void> assign(std::span<const PartitionOffset> starts) override {
    assigned.assign(starts.begin(), starts.end());
    ++assignments;
    return {};
  }
  Result<ReadBatch> poll(std::size_t, milliseconds) override {
    if (batches.empty()) return ReadBatch();
    auto batch = std::move(batches.front());
    batches.pop_front();
    return testing::batch_of(std::move(batch.records), std::move(batch.ends));
  }
  int assignments = 0;
};

InRecord at(std::int32_t partition, std::int64_t offset) {
  return {"t", {partition, offset}, {}, "", "", {}};
}

class ReadStretchesTest : public ::testing::Test {
 protected:
  Result<void> read(std::vector<Stretch> stretches, const std::stop_token& stop = {}) {
    StretchOptions options;
    options.patience = milliseconds(50);
    return read_stretches(
        reader_, stretches,
        [this](const InRecord& record) -> Result<void> {
          if (record.position == refused_) return fail(ErrorKind::kInvalid, "refused", "");
          taken_.push_back(record.position);
          return {};
        },
        options, stop);
  }

  ScriptedReader reader_;
  std::vector<LogPosition> taken_;
  LogPosition refused_{-1, -1};
};

TEST_F(ReadStretchesTest, TakesWhatIsInsideAndNothingElse) {
  reader_.batches = {{{at(0, 3), at(0, 5), at(0, 8)}, {}},
                     {{at(1, 0), at(0, 9), at(2, 0)}, {{{"t", 1}, 2}}}};
  ASSERT_TRUE(read({{{"t", 0}, 3, 8}, {{"t", 1}, 0, 2}, {{"t", 4}, 7, 7}}));
  EXPECT_EQ(taken_, (std::vector<LogPosition>{{0, 3}, {0, 5}, {1, 0}}));
  EXPECT_TRUE(reader_.assigned.empty());
}

TEST_F(ReadStretchesTest, AnEndPastControlRecordsIsAnEnd) {
  reader_.batches = {{{at(0, 0)}, {}}, {{}, {{{"t", 0}, 3}}}};
  EXPECT_TRUE(read({{{"t", 0}, 0, 3}}));
}

TEST_F(ReadStretchesTest, EmptyStretchesAskForNothing) {
  EXPECT_TRUE(read({{{"t", 0}, 5, 5}, {{"t", 1}, 9, 3}}));
  EXPECT_EQ(reader_.assignments, 0);
}

TEST_F(ReadStretchesTest, ABrokerThatGivesNothingIsGivenUp) {
  reader_.batches = {{{at(0, 0)}, {}}};
  const auto done = read({{{"t", 0}, 0, 2}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "read-stalled");
  EXPECT_EQ(done.error().retry, Retry::kBackoff);
}

TEST_F(ReadStretchesTest, ARefusalEndsIt) {
  refused_ = {0, 1};
  reader_.batches = {{{at(0, 0), at(0, 1), at(0, 2)}, {}}};
  EXPECT_EQ(read({{{"t", 0}, 0, 3}}).error().code, "refused");
  EXPECT_EQ(taken_.size(), 1U);
}

TEST_F(ReadStretchesTest, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(read({{{"t", 0}, 0, 3}}, stop.get_token()).error().code, "stopped");
}

TEST_F(ReadStretchesTest, AStopEndsItBetweenTheRecordsOfABatch) {
  std::stop_source stop;
  reader_.batches = {{{at(0, 0), at(0, 1), at(0, 2)}, {}}};
  const Stretch whole{{"t", 0}, 0, 3};
  int taken = 0;
  const auto done = read_stretches(
      reader_, std::span(&whole, 1),
      [&](const InRecord&) -> Result<void> {
        ++taken;
        stop.request_stop();
        return {};
      },
      {}, stop.get_token());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "stopped");
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace thumb::kafka
