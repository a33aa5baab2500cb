// Deleting and reprocessing: events, order, answers, and what a failure in between leaves.
#include <gtest/gtest.h>

#include "harness.h"

namespace thumb::ingest {
namespace {

using test::Harness;
using test::header_of;
using test::json_of;
using test::sample;

class Commands : public ::testing::Test {
 protected:
  // An image in the view, with a file name.
  Commands() {
    const auto body =
        "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\n" +
        sample("rgb.png") + "\r\n--X--\r\n";
    const auto answer = harness_.post(body, {{"Content-Type", "multipart/form-data; boundary=X"}});
    EXPECT_EQ(answer.status, 202);
    const auto published = harness_.events.published();
    harness_.show(published[0], 100);
    harness_.show(published[1], 7);
    upload_ = std::get<ImageUploaded>(published[1].event);
    path_ = "/v1/images/" + upload_.image_id.str();
  }

  http::Response remove() {
    return harness_.call({.method = http::Method::kDelete, .path = path_});
  }
  http::Response reprocess() {
    return harness_.call({.method = http::Method::kPost, .path = path_ + "/reprocess"});
  }
  // What was published after the upload.
  std::vector<Event> since() {
    std::vector<Event> events;
    for (const auto& published : harness_.events.published()) events.push_back(published.event);
    events.erase(events.begin(), events.begin() + 2);
    return events;
  }

  Harness harness_;
  ImageUploaded upload_;
  std::string path_;
};

TEST_F(Commands, DeleteErasesTheNameThenDeletes) {
  // The fake log acknowledges on partition 1; the view gets there before the answer is due.
  harness_.view.advance(Topic::kImageRequests, 1, 1'000);
  const auto answer = remove();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(header_of(answer, "Position"), "1:103");
  EXPECT_EQ(json_of(answer), nlohmann::json({{"id", upload_.image_id.str()},
                                             {"state", "deleted"},
                                             {"deleted_at", "2023-11-14T22:13:20.000Z"},
                                             {"by", "anonymous"}}));
  const auto events = since();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(std::get<ImagePrivateErased>(events[0]).image_id, upload_.image_id);
  const auto& deleted = std::get<ImageDeleted>(events[1]);
  EXPECT_EQ(deleted.image_id, upload_.image_id);
  EXPECT_NE(deleted.request_id, upload_.request_id);
}

TEST_F(Commands, ADeletedImageIsGoneWithWhatIsLeftOfIt) {
  ImageDeleted event;
  event.image_id = upload_.image_id;
  event.actor = "me";
  harness_.view.put(event, {harness_.partition_of(upload_.image_id), 8},
                    time_from_ms(1'700'000'009'000));
  for (const auto* rest : {"", "/thumbnail", "/original", "/thumbnails/default"}) {
    const auto answer = harness_.get(path_ + rest);
    EXPECT_EQ(answer.status, 410) << rest;
    EXPECT_EQ(header_of(answer, "Content-Type"), "application/problem+json");
    const auto body = json_of(answer);
    EXPECT_EQ(body["status"], 410);
    EXPECT_EQ(body["code"], "image-deleted");
    EXPECT_EQ(body["id"], upload_.image_id.str());
    EXPECT_EQ(body["deleted_at"], "2023-11-14T22:13:29.000Z");
    EXPECT_EQ(body["by"], "me");
  }
  EXPECT_EQ(remove().status, 410);
  EXPECT_EQ(reprocess().status, 410);
  EXPECT_TRUE(since().empty());
}

TEST_F(Commands, DeleteWaitsForTheViewToShowIt) {
  harness_.events.hold();
  auto answer = harness_.start({.method = http::Method::kDelete, .path = path_});
  harness_.events.release_one();
  harness_.events.release_one();
  const auto event = since().back();
  harness_.view.put(event, {1, 103}, time_from_ms(1'700'000'009'000));
  const auto response = answer->get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json_of(response)["deleted_at"], "2023-11-14T22:13:29.000Z");  // the log's time
}

TEST_F(Commands, AFailedErasurePublishesNoDeletion) {
  harness_.events.fail_after(0);
  const auto answer = remove();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["code"], "not-known-to-be-accepted");
  EXPECT_EQ(since().size(), 1U);
}

TEST_F(Commands, AFailedDeletionCanBeRepeated) {
  harness_.events.fail_after(1);
  EXPECT_EQ(remove().status, 503);
  EXPECT_EQ(harness_.get(path_).status, 200);
}

TEST_F(Commands, ReprocessAsksForTheSameVariantsAgain) {
  const auto answer = reprocess();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(header_of(answer, "Location"), path_);
  EXPECT_EQ(header_of(answer, "Position"), "1:102");
  EXPECT_EQ(json_of(answer)["state"], "accepted");
  EXPECT_EQ(json_of(answer)["generation"], 2);
  EXPECT_EQ(json_of(answer)["position"], "1:102");
  const auto events = since();
  ASSERT_EQ(events.size(), 1U);
  const auto& request = std::get<ThumbnailRequested>(events[0]);
  EXPECT_EQ(request.original, upload_.original);
  EXPECT_EQ(request.variants, upload_.variants);
  EXPECT_NE(request.request_id, upload_.request_id);
}

TEST_F(Commands, OfAnUnknownImage) {
  const std::string unknown = "/v1/images/0198c5b2-7e1a-7abc-8def-0123456789ab";
  EXPECT_EQ(harness_.call({.method = http::Method::kDelete, .path = unknown}).status, 404);
  EXPECT_EQ(harness_.call({.method = http::Method::kPost, .path = unknown + "/reprocess"}).status,
            404);
  EXPECT_EQ(harness_.call({.method = http::Method::kDelete, .path = "/v1/images/x"}).status, 400);
  EXPECT_TRUE(since().empty());
}

}  // namespace
}  // namespace thumb::ingest
