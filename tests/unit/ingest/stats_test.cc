// Counts by state, and lag in records and in seconds of log time.
#include <gtest/gtest.h>

#include "harness.h"
#include "tests/support/placed_events.h"
#include "tests/support/wait_until.h"

namespace thumb::ingest {
namespace {

using namespace thumb::testing::placed;  // NOLINT(google-build-using-namespace)
using test::Harness;
using test::json_of;

class Stats : public ::testing::Test {
 protected:
  // Appends to image-requests; the view does not know it yet.
  void append(std::int32_t partition, TimeMs at) {
    harness_.cluster.append("t.image-requests", partition, OutRecord{{}, "k", {}, {}, {}}, at);
  }
  nlohmann::json stats() { return json_of(harness_.get("/v1/stats")); }
  // Once a measurement says so.
  bool lag_becomes(std::uint64_t records) {
    return thumb::testing::wait_until([&] {
      const auto lag = stats()["lag"];
      return lag.is_object() && lag["records"] == records;
    });
  }
  static nlohmann::json partition_of(const nlohmann::json& lag, int partition) {
    for (const auto& one : lag["partitions"]) {
      if (one["topic"] == "t.image-requests" && one["partition"] == partition) return one;
    }
    return nullptr;
  }

  Harness harness_;
};

TEST_F(Stats, CountsImagesByState) {
  harness_.view.put(uploaded(image_id(1)), {0, 0}, time_from_ms(100));
  harness_.view.put(uploaded(image_id(2)), {0, 1}, time_from_ms(100));
  harness_.view.put(failed(image_id(2)), {0, 0}, time_from_ms(100));
  const auto body = stats();
  EXPECT_EQ(
      body["images"],
      nlohmann::json(
          {{"accepted", 1}, {"processing", 0}, {"failed", 1}, {"completed", 0}, {"deleted", 0}}));
  EXPECT_EQ(body["unreadable_records"], 0);
  EXPECT_EQ(harness_.call({.path = "/v1/stats", .query = {{"x", "1"}}}).status, 400);
}

TEST_F(Stats, TellsLagInRecordsAndSeconds) {
  const TimeMs now = harness_.clock.now();
  append(1, now - std::chrono::milliseconds(12'345));
  append(1, now - std::chrono::milliseconds(1'000));
  append(2, now - std::chrono::milliseconds(2'500));
  ASSERT_TRUE(lag_becomes(3));
  const auto lag = stats()["lag"];
  EXPECT_EQ(lag["seconds"], 12.345);
  EXPECT_EQ(partition_of(lag, 1)["records"], 2);
  EXPECT_EQ(partition_of(lag, 1)["seconds"], 12.345);
  EXPECT_EQ(partition_of(lag, 2)["seconds"], 2.5);
  EXPECT_EQ(partition_of(lag, 0)["records"], 0);
  harness_.view.advance(Topic::kImageRequests, 1, 2);
  ASSERT_TRUE(lag_becomes(1));
  EXPECT_EQ(partition_of(stats()["lag"], 1)["position"], 2);
  EXPECT_EQ(partition_of(stats()["lag"], 1)["end"], 2);
  EXPECT_EQ(partition_of(stats()["lag"], 1)["seconds"], 0.0);
}

// The operator's alarm must not rest because nobody can be asked.
TEST_F(Stats, LagGoesOnWhileAViewCannotBeRead) {
  ASSERT_TRUE(lag_becomes(0));
  harness_.view.set_available(false);
  append(1, harness_.clock.now() - std::chrono::milliseconds(1'500));
  EXPECT_TRUE(thumb::testing::wait_until([&] {
    return harness_.metrics.expose().find("thumb_ingest_view_lag_seconds 1.5") != std::string::npos;
  }));
}

TEST_F(Stats, WithoutAViewThereAreNone) {
  harness_.view.set_available(false);
  EXPECT_EQ(harness_.get("/v1/stats").status, 503);
}

}  // namespace
}  // namespace thumb::ingest
