// What operators are told of a build, from its first record to its end.
#include "state_projector/build_progress.h"

#include <gtest/gtest.h>

#include "state_projector/build_metrics.h"

namespace thumb::testing {
namespace {

const ViewPartition kOne{Topic::kImageRequests, 0};
const ViewPartition kOther{Topic::kThumbnailCompleted, 3};

class BuildProgressTest : public ::testing::Test {
 protected:
  // The value that a scrape shows; empty if there is none.
  std::string shown(const std::string& name) {
    const auto text = metrics_.expose();
    const auto at = text.find("\nthumb_view_build_" + name + " ");
    if (at == std::string::npos) return {};
    const auto begin = text.find(' ', at) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  Metrics metrics_;
  BuildMetrics shown_{metrics_};
  BuildProgress progress_{[this](const BuildReport& report) { shown_.show(report); }};
};

TEST_F(BuildProgressTest, CountsOffsetsUpToTheirTargets) {
  EXPECT_EQ(shown("in_progress"), "0");
  progress_.begin("view", {{kOne, 10}});
  progress_.aim({{kOne, 100}, {kOther, 50}});
  EXPECT_EQ(shown("in_progress"), "1");
  EXPECT_EQ(shown("done_records"), "10");
  EXPECT_EQ(shown("target_records"), "150");
  progress_.moved({{kOne, 120}, {kOther, 20}}, 128);
  EXPECT_EQ(shown("done_records"), "120");  // what came past the target is not part of it
  EXPECT_GT(std::stod(shown("records_per_second")), 0);
  EXPECT_GT(std::stod(shown("left_seconds")), 0);
  EXPECT_EQ(progress_.report().left(), 30);
}

TEST_F(BuildProgressTest, EachPartitionHasATimeOfItsOwn) {
  progress_.begin("view", {{kOne, 10}});
  progress_.aim({{kOne, 110}, {kOther, 50}});
  progress_.moved({{kOne, 60}}, 50);
  const auto report = progress_.report();
  ASSERT_TRUE(report.seconds_left(kOne).has_value());
  EXPECT_DOUBLE_EQ(*report.seconds_left(kOne), report.took.count());  // half of it is read
  EXPECT_FALSE(report.seconds_left(kOther).has_value());              // nothing is read yet
  progress_.moved({{kOne, 120}, {kOther, 40}}, 100);
  EXPECT_EQ(progress_.report().seconds_left(kOne), 0);
  EXPECT_DOUBLE_EQ(*progress_.report().seconds_left(kOther), progress_.report().took.count() / 4);
}

TEST_F(BuildProgressTest, NothingIsLeftOfABuildThatServesOrHasFailed) {
  progress_.begin("view", {});
  progress_.aim({{kOne, 100}});
  progress_.moved({{kOne, 50}}, 50);
  progress_.failed("no disk");
  EXPECT_EQ(shown("in_progress"), "0");
  EXPECT_EQ(shown("left_seconds"), "0");
  progress_.begin("another", {});
  progress_.aim({{kOne, 100}});
  EXPECT_EQ(shown("in_progress"), "1");
  progress_.moved({{kOne, 100}}, 100);
  progress_.serves();
  EXPECT_EQ(shown("in_progress"), "0");
  EXPECT_EQ(shown("done_records"), "100");
}

}  // namespace
}  // namespace thumb::testing
