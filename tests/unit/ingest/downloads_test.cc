// The bytes: when they are given, how, and what is said when not.
#include <gtest/gtest.h>

#include "harness.h"
#include "platform/digest.h"
#include "schemas/blob_keys.h"

namespace thumb::ingest {
namespace {

using test::Harness;
using test::header_of;
using test::json_of;
using test::sample;
using test::text_of;

class Downloads : public ::testing::Test {
 protected:
  Downloads() {
    const auto body =
        "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"my photo.jpg\"\r\n\r\n" +
        photo_ + "\r\n--X--\r\n";
    const auto answer = harness_.post(body, {{"Content-Type", "multipart/form-data; boundary=X"}});
    EXPECT_EQ(answer.status, 202);
    const auto published = harness_.events.published();
    harness_.show(published[0], 100);
    harness_.show(published[1], 7);
    upload_ = std::get<ImageUploaded>(published[1].event);
  }

  std::string path(const std::string& rest) {
    return "/v1/images/" + upload_.image_id.str() + rest;
  }

  EventBase base(const RequestId& request) {
    EventBase event;
    event.image_id = upload_.image_id;
    event.request_id = request;
    return event;
  }
  void put(const Event& event, std::int64_t offset) {
    harness_.view.put(event, {harness_.partition_of(upload_.image_id), offset},
                      time_from_ms(1'700'000'001'000));
  }
  void complete(const RequestId& request, const std::string& bytes, std::int64_t offset) {
    const auto digest = sha256_hex(as_bytes(bytes));
    const auto key = thumbnail_blob_key(upload_.image_id, "default", digest);
    ASSERT_TRUE(thumb::put(*harness_.files, key, as_bytes(bytes)));
    ThumbnailCompleted event;
    static_cast<EventBase&>(event) = base(request);
    event.request = {harness_.partition_of(upload_.image_id), 7};
    event.original_size = {48, 32};
    event.variants = {Variant{"default", {key, bytes.size(), digest, "image/png"}, {20, 10}}};
    put(event, offset);
  }
  void fail(std::int64_t offset) {
    ThumbnailFailed event;
    static_cast<EventBase&>(event) = base(upload_.request_id);
    event.request = {harness_.partition_of(upload_.image_id), 7};
    event.code = "corrupt-image";
    event.message = "The image can't be decoded.";
    put(event, offset);
  }

  Harness harness_;
  const std::string photo_ = sample("baseline.jpg");
  const std::string thumb_ = sample("rgb.png");
  ImageUploaded upload_;
};

TEST_F(Downloads, OriginalIsThereFromTheStart) {
  const auto answer = harness_.get(path("/original"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(text_of(answer), photo_);
  EXPECT_EQ(header_of(answer, "Content-Type"), "image/jpeg");
  EXPECT_EQ(header_of(answer, "ETag"), "\"" + sha256_hex(as_bytes(photo_)) + "\"");
  EXPECT_EQ(header_of(answer, "Accept-Ranges"), "bytes");
  EXPECT_EQ(header_of(answer, "Cache-Control"), "no-cache");
  EXPECT_EQ(header_of(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header_of(answer, "Content-Disposition"), "inline; filename=\"my photo.jpg\"");
  EXPECT_TRUE(header_of(answer, "Repr-Digest").starts_with("sha-256=:"));
}

TEST_F(Downloads, ThumbnailIsPendingWithTheResource) {
  const auto answer = harness_.get(path("/thumbnail"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(header_of(answer, "Retry-After"), "1");
  EXPECT_EQ(json_of(answer)["state"], "accepted");
}

TEST_F(Downloads, ThumbnailIsServedUnderItsOwnName) {
  complete(upload_.request_id, thumb_, 3);
  for (const auto* rest : {"/thumbnail", "/thumbnails/default"}) {
    const auto answer = harness_.get(path(rest));
    EXPECT_EQ(answer.status, 200) << rest;
    EXPECT_EQ(text_of(answer), thumb_);
    EXPECT_EQ(header_of(answer, "Content-Type"), "image/png");
  }
  EXPECT_EQ(header_of(harness_.get(path("/thumbnail")), "Content-Disposition"),
            "inline; filename=\"my photo.thumbnail.png\"");
  const auto missing = harness_.get(path("/thumbnails/huge"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(json_of(missing)["code"], "unknown-variant");
}

TEST_F(Downloads, AFailureIsAConflictWithItsCode) {
  fail(3);
  const auto answer = harness_.get(path("/thumbnail"));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(json_of(answer)["code"], "corrupt-image");
  EXPECT_EQ(harness_.get(path("/original")).status, 200);
}

TEST_F(Downloads, TheOldThumbnailServesUntilTheNewOneExists) {
  complete(upload_.request_id, thumb_, 3);
  ThumbnailRequested again;
  again.image_id = upload_.image_id;
  again.request_id.bytes[3] = 9;
  again.original = upload_.original;
  again.variants = default_variants();
  put(again, 20);
  EXPECT_EQ(text_of(harness_.get(path("/thumbnail"))), thumb_);
  complete(again.request_id, sample("alpha.png"), 4);
  EXPECT_EQ(text_of(harness_.get(path("/thumbnail"))), sample("alpha.png"));
}

TEST_F(Downloads, ConditionsAndRanges) {
  const auto etag = header_of(harness_.get(path("/original")), "ETag");
  const auto unchanged = harness_.get(path("/original"), {{"If-None-Match", etag}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(text_of(unchanged), "");
  EXPECT_EQ(header_of(unchanged, "ETag"), etag);

  const auto part = harness_.get(path("/original"), {{"Range", "bytes=10-19"}, {"If-Range", etag}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(text_of(part), photo_.substr(10, 10));
  EXPECT_EQ(header_of(part, "Content-Range"), "bytes 10-19/" + std::to_string(photo_.size()));

  const auto past = harness_.get(path("/original"), {{"Range", "bytes=999999-"}});
  EXPECT_EQ(past.status, 416);
  EXPECT_EQ(header_of(past, "Content-Range"), "bytes */" + std::to_string(photo_.size()));
  EXPECT_EQ(harness_.get(path("/original"), {{"If-Match", "\"x\""}}).status, 412);
}

TEST_F(Downloads, AHeadIgnoresRange) {
  const auto answer = harness_.call({.method = http::Method::kHead,
                                     .path = path("/original"),
                                     .headers = {{"Range", "bytes=0-0"}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(std::get<http::BlobBody>(answer.body).length, photo_.size());
}

TEST_F(Downloads, BytesThatAreGoneAreSaidToBe) {
  ASSERT_TRUE(harness_.files->remove_all(image_blob_prefix(upload_.image_id)));
  const auto answer = harness_.get(path("/original"));
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(json_of(answer)["code"], "bytes-gone");
}

TEST_F(Downloads, OfAnUnknownImage) {
  EXPECT_EQ(harness_.get("/v1/images/0198c5b2-7e1a-7abc-8def-0123456789ab/thumbnail").status, 404);
  EXPECT_EQ(harness_.get("/v1/images/nonsense/original").status, 400);
}

}  // namespace
}  // namespace thumb::ingest
