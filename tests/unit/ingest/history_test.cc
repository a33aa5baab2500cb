// What happened to an image, and what it was like at a time: told in log time.
#include <gtest/gtest.h>

#include "harness.h"
#include "tests/support/placed_events.h"

namespace thumb::ingest {
namespace {

using namespace thumb::testing::placed;  // NOLINT(google-build-using-namespace)
using test::Harness;
using test::json_of;

constexpr std::int64_t kNoon = 1'700'000'000'000;

class History : public ::testing::Test {
 protected:
  History() {
    put(named(kImage, "a.jpg"), 3, -1);
    put(uploaded(kImage), 7, 0);
    put(about<ThumbnailStarted>(kImage, 0, "service:processor"), 1, 10);
    put(failed(kImage), 2, 20);
    put(requested(kImage, 1), 9, 30);
    put(completed(kImage, 1), 4, 40);
  }
  void put(const Event& event, std::int64_t offset, std::int64_t after_noon_ms) {
    harness_.view.put(event, {harness_.partition_of(kImage), offset},
                      time_from_ms(kNoon + after_noon_ms));
  }
  http::Response at(const std::string& time) {
    return harness_.call({.path = path_, .query = {{"at", time}}});
  }
  std::string state_at(std::int64_t after_noon_ms) {
    const auto answer = at(to_rfc3339(time_from_ms(kNoon + after_noon_ms)));
    return answer.status == 200 ? json_of(answer)["state"].get<std::string>()
                                : json_of(answer)["code"].get<std::string>();
  }

  const ImageId kImage = image_id(1);
  Harness harness_;
  std::string path_ = "/v1/images/" + kImage.str();
};

TEST_F(History, TellsEveryRecordWithItsPlaceAndTheStateItLedTo) {
  const auto body = json_of(harness_.get(path_ + "/history"));
  EXPECT_EQ(body["id"], kImage.str());
  const auto& events = body["events"];
  ASSERT_EQ(events.size(), 6U);
  std::vector<std::pair<std::string, nlohmann::json>> told;
  for (const auto& event : events) told.emplace_back(event["event"], event["state"]);
  EXPECT_EQ(told, (std::vector<std::pair<std::string, nlohmann::json>>{
                      {"image-private", nullptr},
                      {"image-uploaded", "accepted"},
                      {"thumbnail-started", "processing"},
                      {"thumbnail-failed", "failed"},
                      {"thumbnail-requested", "accepted"},
                      {"thumbnail-completed", "completed"}}));
  EXPECT_EQ(events[1]["topic"], "t.image-requests");
  EXPECT_EQ(events[1]["partition"], harness_.partition_of(kImage));
  EXPECT_EQ(events[1]["offset"], 7);
  EXPECT_EQ(events[1]["at"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(events[1]["actor"], "anonymous");
  EXPECT_EQ(events[1]["request_id"], kImage.str());
  EXPECT_EQ(events[3]["error"]["code"], "corrupt-image");
  EXPECT_EQ(events[5]["request_id"], request_id(kImage, 1).str());
  EXPECT_EQ(body.dump().find("a.jpg"), std::string::npos) << "a personal field";
}

TEST_F(History, TellsTheStateAsOfATime) {
  EXPECT_EQ(state_at(-1), "not-there-yet");
  EXPECT_EQ(state_at(0), "accepted");
  EXPECT_EQ(state_at(9), "accepted");
  EXPECT_EQ(state_at(10), "processing");
  EXPECT_EQ(state_at(29), "failed");
  EXPECT_EQ(state_at(30), "accepted");
  EXPECT_EQ(state_at(40), "completed");
  EXPECT_EQ(state_at(1'000'000), "completed");
  const auto then = json_of(at(to_rfc3339(time_from_ms(kNoon + 20))));
  EXPECT_EQ(then["error"]["code"], "corrupt-image");
  EXPECT_EQ(then["generation"], 1);
  EXPECT_EQ(then["filename"], "a.jpg");
}

TEST_F(History, TakesTimesAsRfc3339HasThem) {
  EXPECT_EQ(at("2023-11-14T23:13:20.010+01:00").status, 200);
  EXPECT_EQ(at("2023-11-14T23:13:20.010 01:00").status, 200);  // a + not written as %2B
  for (const auto* bad : {"", "yesterday", "2023-11-14", "1700000000000"}) {
    const auto answer = at(bad);
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(json_of(answer)["code"], "bad-at");
  }
  EXPECT_EQ(harness_.call({.path = path_, .query = {{"At", "x"}}}).status, 400);
}

TEST_F(History, OfADeletedImageThereIsNone) {
  put(about<ImageDeleted>(kImage, 2, "ann"), 10, 50);
  for (const auto& answer :
       {harness_.get(path_ + "/history"), at(to_rfc3339(time_from_ms(kNoon + 20)))}) {
    EXPECT_EQ(answer.status, 410);
    EXPECT_EQ(json_of(answer)["by"], "ann");
  }
}

TEST_F(History, AnImageThatIsDeletedJustNowWasThereAtNoTime) {
  harness_.view.before_history = [&] { put(about<ImageDeleted>(kImage, 2, "ann"), 10, 50); };
  EXPECT_EQ(state_at(20), "image-deleted");
}

TEST_F(History, AnImageThatIsDeletedJustNowHasNone) {
  harness_.view.before_history = [&] { put(about<ImageDeleted>(kImage, 2, "ann"), 10, 50); };
  EXPECT_EQ(harness_.get(path_ + "/history").status, 410);
}

TEST_F(History, OfAnUnknownImageIsNotFound) {
  EXPECT_EQ(harness_.get("/v1/images/0198c5b2-7e1a-7abc-8def-0123456789ab/history").status, 404);
}

}  // namespace
}  // namespace thumb::ingest
