// Guarantee 6 through the routes: rows, misses, positions and names that come late.
#include <gtest/gtest.h>

#include "harness.h"

namespace thumb::ingest {
namespace {

using test::Harness;
using test::header_of;
using test::json_of;
using test::sample;

class Status : public ::testing::Test {
 protected:
  // Uploads and returns the id; the view knows nothing of it yet.
  std::string upload(const std::string& file = "rgb.png") {
    return json_of(harness_.post(sample(file)))["id"];
  }
  std::string upload_named(const std::string& name) {
    const auto body = "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" + name +
                      "\"\r\n\r\n" + sample("rgb.png") + "\r\n--X--\r\n";
    const auto answer = harness_.post(body, {{"Content-Type", "multipart/form-data; boundary=X"}});
    return json_of(answer)["images"][0]["id"];
  }
  std::string path(const std::string& id) { return "/v1/images/" + id; }
  std::int32_t partition(const std::string& id) {
    return harness_.partition_of(ImageId::parse(id).value());
  }
  test::FakeLog& events() { return harness_.events; }

  Harness harness_;
};

TEST_F(Status, AnswersAKnownIdInlineWithoutAskingTheLog) {
  const auto id = upload();
  harness_.show(events().published()[0], 7);
  harness_.ends.set_away(true);  // as with the broker stopped
  const auto answer = harness_.get(path(id));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer)["id"], id);
  EXPECT_EQ(json_of(answer)["position"], std::to_string(partition(id)) + ":7");
  EXPECT_EQ(header_of(answer, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(answer, "Cache-Control"), "no-store");
}

TEST_F(Status, WaitsForTheViewAfterA202) {
  const auto id = upload();
  harness_.ends.set_end(partition(id), 8);
  auto answer = harness_.start({.path = path(id)});
  harness_.ends.wait_for_questions(partition(id), 1);
  harness_.show(events().published()[0], 7);
  EXPECT_EQ(answer->get().status, 200);
}

TEST_F(Status, SaysNotFoundOnlyOnceTheViewIsAtTheEnd) {
  const std::string id = "0198c5b2-7e1a-7abc-8def-0123456789ab";
  harness_.ends.set_end(partition(id), 3);
  auto answer = harness_.start({.path = path(id)});
  harness_.ends.wait_for_questions(partition(id), 1);
  harness_.view.advance(Topic::kImageRequests, partition(id), 3);
  const auto response = answer->get();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(json_of(response)["code"], "unknown-image");
}

TEST_F(Status, SaysUnavailableForAnUnknownIdWithoutTheLog) {
  harness_.ends.set_away(true);
  const auto answer = harness_.get(path("0198c5b2-7e1a-7abc-8def-0123456789ab"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["code"], "log-unavailable");
  EXPECT_NE(header_of(answer, "Retry-After"), "");
}

TEST_F(Status, SaysUnavailableWithoutAView) {
  harness_.view.set_available(false);
  const auto answer = harness_.get(path("0198c5b2-7e1a-7abc-8def-0123456789ab"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["code"], "view-unavailable");
  EXPECT_EQ(harness_.get("/v1/images").status, 503);
  EXPECT_EQ(harness_.get("/readyz").status, 503);
}

TEST_F(Status, RefusesAnIdThatIsNone) {
  const auto answer = harness_.get("/v1/images/not-an-id");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(json_of(answer)["code"], "bad-id");
}

TEST_F(Status, MinPositionHoldsBackAnOlderState) {
  const auto id = upload();
  harness_.show(events().published()[0], 7);
  const auto own = std::to_string(partition(id));
  EXPECT_EQ(harness_.get(path(id), {{"Min-Position", own + ":7"}}).status, 200);
  const auto behind = harness_.get(path(id), {{"Min-Position", own + ":8"}});
  EXPECT_EQ(behind.status, 503);
  EXPECT_EQ(json_of(behind)["code"], "view-behind");
  EXPECT_NE(header_of(behind, "Retry-After"), "");
}

TEST_F(Status, MinPositionOfOtherPartitionsSaysNothingOfThisImage) {
  const auto id = upload();
  harness_.show(events().published()[0], 7);
  const auto other = std::to_string((partition(id) + 1) % test::kPartitions);
  EXPECT_EQ(harness_.get(path(id), {{"Min-Position", other + ":1000"}}).status, 200);
}

TEST_F(Status, MinPositionMustBeOne) {
  const auto id = upload();
  harness_.show(events().published()[0], 7);
  EXPECT_EQ(harness_.get(path(id), {{"Min-Position", "soon"}}).status, 400);
  const auto beyond = std::to_string(test::kPartitions) + ":0";
  EXPECT_EQ(json_of(harness_.get(path(id), {{"Min-Position", beyond}}))["code"],
            "bad-min-position");
}

TEST_F(Status, WaitsForTheNameThatTravelsApart) {
  const auto id = upload_named("name.png");
  const auto published = events().published();
  harness_.show(published[1], 7);  // the upload came first
  auto answer = harness_.start({.path = path(id)});
  harness_.show(published[0], 100);
  EXPECT_EQ(json_of(answer->get())["filename"], "name.png");
}

TEST_F(Status, DoesNotWaitForTheNameForEver) {
  const auto id = upload_named("name.png");
  harness_.show(events().published()[1], 7);
  const auto answer = harness_.get(path(id));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer)["filename"], nullptr);
}

TEST_F(Status, ListsNewestFirstPageByPage) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(upload());
    harness_.view.put(events().published().back().event, {partition(ids.back()), i},
                      time_from_ms(1'700'000'000'000 + i));
  }
  std::vector<std::string> seen;
  std::vector<std::pair<std::string, std::string>> query = {{"limit", "2"}};
  for (int page = 0; page < 3; ++page) {
    const auto answer = harness_.call({.path = "/v1/images", .query = query});
    ASSERT_EQ(answer.status, 200);
    const auto body = json_of(answer);
    for (const auto& image : body["images"]) seen.push_back(image["id"]);
    if (page == 2) {
      EXPECT_EQ(body["next"], nullptr);
      EXPECT_EQ(header_of(answer, "Link"), "");
      break;
    }
    const auto next = body["next"].get<std::string>();
    EXPECT_EQ(header_of(answer, "Link"), "<" + next + ">; rel=\"next\"");
    ASSERT_TRUE(next.starts_with("/v1/images?limit=2&cursor=")) << next;
    query = {{"limit", "2"}, {"cursor", next.substr(next.rfind('=') + 1)}};
  }
  EXPECT_EQ(seen, std::vector<std::string>(ids.rbegin(), ids.rend()));
}

TEST_F(Status, ListsByStateAndKeepsItInTheLink) {
  for (int i = 0; i < 2; ++i) {
    upload();
    harness_.show(events().published().back(), i);
  }
  const auto some =
      harness_.call({.path = "/v1/images", .query = {{"state", "accepted"}, {"limit", "1"}}});
  EXPECT_NE(json_of(some)["next"].get<std::string>().find("&state=accepted&"), std::string::npos);
  const auto none = harness_.call({.path = "/v1/images", .query = {{"state", "failed"}}});
  EXPECT_EQ(json_of(none)["images"], nlohmann::json::array());
  EXPECT_EQ(harness_.call({.path = "/v1/images", .query = {{"cursor", "%%"}}}).status, 400);
}

TEST_F(Status, SystemRoutesAnswer) {
  EXPECT_EQ(json_of(harness_.get("/v1/system/pulse")), nlohmann::json({{"alive", true}}));
  EXPECT_EQ(harness_.get("/livez").status, 200);
  upload();
  EXPECT_NE(test::text_of(harness_.get("/metrics"))
                .find("thumb_ingest_uploads_total{outcome=\"accepted\"} 1"),
            std::string::npos);
}

}  // namespace
}  // namespace thumb::ingest
