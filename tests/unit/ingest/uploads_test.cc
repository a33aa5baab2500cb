// Guarantee 1, step by step: what is stored, what is published, in which order, and what is
// answered.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "harness.h"
#include "platform/digest.h"

namespace thumb::ingest {
namespace {

using namespace std::string_literals;
using nlohmann::json;
using test::Harness;
using test::header_of;
using test::json_of;
using test::sample;

constexpr auto kFormType = "multipart/form-data; boundary=XyZ";

std::string part(const std::string& disposition, const std::string& body) {
  return "--XyZ\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + body + "\r\n";
}
std::string file_part(const std::string& filename, const std::string& body) {
  return part("name=\"f\"; filename=\"" + filename + "\"", body);
}
const std::string kEnd = "--XyZ--\r\n";

http::Response post_form(Harness& harness, const std::string& body) {
  return harness.post(body, {{"Content-Type", kFormType}});
}

TEST(RawUpload, StoresPublishesAndAnswersWithTheResource) {
  Harness harness;
  const auto photo = sample("baseline.jpg");
  const auto answer = harness.post(photo);
  EXPECT_EQ(answer.status, 202);
  const auto image = json_of(answer);
  const auto id = image["id"].get<std::string>();
  EXPECT_EQ(header_of(answer, "Location"), "/v1/images/" + id);
  EXPECT_EQ(header_of(answer, "Position"), "1:100");
  EXPECT_EQ(image["state"], "accepted");
  EXPECT_EQ(image["position"], "1:100");
  EXPECT_EQ(image["filename"], nullptr);
  EXPECT_EQ(image["bytes"], photo.size());
  EXPECT_EQ(image["sha256"], sha256_hex(as_bytes(photo)));

  const auto published = harness.events.published();
  ASSERT_EQ(published.size(), 1U);
  const auto& upload = std::get<ImageUploaded>(published[0].event);
  EXPECT_EQ(upload.image_id.str(), id);
  EXPECT_EQ(upload.request_id, upload_request_id(upload.image_id));
  EXPECT_EQ(upload.size, (PixelSize{48, 32}));
  EXPECT_EQ(upload.original.content_type, "image/jpeg");
  EXPECT_EQ(upload.variants, default_variants());
  EXPECT_FALSE(upload.private_offset);
  EXPECT_EQ(harness.blob(upload.original.key), photo);
  EXPECT_EQ(harness.staged_files(), 0U);
}

TEST(RawUpload, JudgesByTheBytesWhateverTheTypeSays) {
  for (const auto* type : {"application/x-www-form-urlencoded", "text/plain", "image/png",
                           "application/json", "application/octet-stream", ""}) {
    Harness harness;
    const auto answer = harness.post(sample("lossy.webp"), {{"Content-Type", type}});
    EXPECT_EQ(answer.status, 202) << type;
    EXPECT_EQ(json_of(answer)["content_type"], "image/webp") << type;
  }
}

TEST(RawUpload, BytesMayComeOneByOne) {
  Harness harness;
  const auto answer =
      harness.call({http::Method::kPost, "/v1/images", {}, sample("rgb.png"), {}, /*piece=*/1});
  EXPECT_EQ(answer.status, 202);
}

struct Refusal {
  std::string body;
  int status;
  std::string code;
};

TEST(RawUpload, RefusesAtTheDoorAndLeavesNothing) {
  const auto jpeg = sample("baseline.jpg");
  const std::vector<Refusal> cases = {
      {"", 400, "empty-body"},
      {"x", 415, "unsupported-image-type"},
      {"hello, this is plain text sent as an image", 415, "unsupported-image-type"},
      {std::string(100'000, 'a'), 415, "unsupported-image-type"},
      {jpeg.substr(0, jpeg.size() / 2), 400, "truncated-image"},
      {"\xff\xd8\xff\xd9 and more of it"s, 400, "malformed-image"},
      {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xEA\x60\0\0\xEA\x60\x8\2\0\0\0"s, 422, "too-many-pixels"},
  };
  for (const auto& refusal : cases) {
    Harness harness;
    const auto answer = harness.post(refusal.body, {{"Content-Type", "image/jpeg"}});
    EXPECT_EQ(answer.status, refusal.status) << refusal.code;
    EXPECT_EQ(json_of(answer)["code"], refusal.code);
    EXPECT_EQ(header_of(answer, "Content-Type"), "application/problem+json");
    EXPECT_TRUE(harness.events.published().empty()) << refusal.code;
    EXPECT_EQ(harness.staged_files(), 0U) << refusal.code;
  }
}

TEST(RawUpload, SaysThatJsonIsNotTaken) {
  Harness harness;
  const auto answer = harness.post("{\"url\":\"http://x/y.jpg\"}",
                                   {{"Content-Type", "Application/JSON; charset=utf-8"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_NE(json_of(answer)["detail"].get<std::string>().find("JSON"), std::string::npos);
}

TEST(RawUpload, AnUnknownParameterIsNamedBeforeTheBodyIsRead) {
  Harness harness;
  const auto answer = harness.call({.method = http::Method::kPost,
                                    .path = "/v1/images",
                                    .body = sample("rgb.png"),
                                    .query = {{"widht", "5"}}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(json_of(answer)["code"], "unknown-parameter");
  EXPECT_NE(json_of(answer)["detail"].get<std::string>().find("widht"), std::string::npos);
}

TEST(RawUpload, CarriesTheTrace) {
  Harness harness;
  const auto trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"s;
  EXPECT_EQ(harness.post(sample("rgb.png"), {{"traceparent", trace}}).status, 202);
  EXPECT_EQ(harness.events.published()[0].traceparent, trace);
}

TEST(RawUpload, KeepsTheBlobWhenThePublishMayHaveHappened) {
  Harness harness;
  harness.events.fail_after(0);
  const auto answer = harness.post(sample("rgb.png"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["code"], "not-known-to-be-accepted");
  EXPECT_NE(header_of(answer, "Retry-After"), "");
  const auto upload = std::get<ImageUploaded>(harness.events.published()[0].event);
  EXPECT_EQ(harness.blob(upload.original.key), sample("rgb.png"));
}

TEST(RawUpload, PublishesNothingWithoutADurableBlob) {
  Harness harness;
  harness.blobs.fail_commit = true;
  const auto answer = harness.post(sample("rgb.png"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(harness.events.published().empty());
  harness.blobs.fail_create = true;
  EXPECT_EQ(harness.post(sample("rgb.png")).status, 503);
}

TEST(RawUpload, IsNotAnsweredBeforeTheAcknowledgement) {
  Harness harness;
  harness.events.hold();
  auto answer = harness.start({http::Method::kPost, "/v1/images", {}, sample("rgb.png")});
  EXPECT_FALSE(harness.in_flight.wait_until_none(std::chrono::milliseconds(20)));
  harness.events.release_one();
  EXPECT_EQ(answer->get().status, 202);
}

TEST(RawUpload, IsBusyWhenTheQueueIsFull) {
  Harness harness(0);
  const auto answer = harness.post(sample("rgb.png"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["code"], "busy");
  EXPECT_NE(header_of(answer, "Retry-After"), "");
  EXPECT_EQ(harness.staged_files(), 0U);
}

TEST(FormUpload, PublishesTheNameFirstAndThenTheUpload) {
  Harness harness;
  const auto answer =
      post_form(harness, file_part("..\\\\dir/caf\xC3\xA9.png", sample("rgb.png")) + kEnd);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(header_of(answer, "Position"), "1:101");
  const auto images = json_of(answer)["images"];
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0]["filename"], "caf\xC3\xA9.png");
  const auto published = harness.events.published();
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(std::get<ImagePrivate>(published[0].event).filename, "caf\xC3\xA9.png");
  const auto& upload = std::get<ImageUploaded>(published[1].event);
  EXPECT_EQ(upload.private_offset, 100);
  EXPECT_EQ(harness.blob(upload.original.key), sample("rgb.png"));
}

TEST(FormUpload, PublishesNoUploadWithoutItsName) {
  Harness harness;
  harness.events.fail_after(0);
  const auto answer = post_form(harness, file_part("a.png", sample("rgb.png")) + kEnd);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["images"][0]["code"], "not-known-to-be-accepted");
  ASSERT_EQ(harness.events.published().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<ImagePrivate>(harness.events.published()[0].event));
}

TEST(FormUpload, AnswersPartByPartInOrder) {
  Harness harness;
  const auto answer = post_form(harness, file_part("a.png", sample("rgb.png")) +
                                             file_part("b.txt", "just text, no image") +
                                             part("name=\"unnamed\"", sample("still.gif")) + kEnd);
  EXPECT_EQ(answer.status, 202);
  const auto images = json_of(answer)["images"];
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0]["content_type"], "image/png");
  EXPECT_EQ(images[1]["code"], "unsupported-image-type");
  EXPECT_EQ(images[1]["status"], 415);
  EXPECT_EQ(images[2]["content_type"], "image/gif");
  EXPECT_EQ(images[2]["filename"], nullptr);
  EXPECT_EQ(header_of(answer, "Position"), "1:101, 1:102");
}

TEST(FormUpload, HasTheFirstProblemsStatusIfNoneWasAccepted) {
  Harness harness;
  const auto jpeg = sample("baseline.jpg");
  const auto answer = post_form(harness, file_part("a.jpg", jpeg.substr(0, 300)) +
                                             file_part("b.txt", "just text, no image") + kEnd);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(header_of(answer, "Content-Type"), "application/problem+json");
  const auto body = json_of(answer);
  EXPECT_EQ(body["code"], "truncated-image");
  ASSERT_EQ(body["images"].size(), 2U);
  EXPECT_EQ(body["images"][1]["code"], "unsupported-image-type");
  EXPECT_EQ(header_of(answer, "Position"), "");
}

TEST(FormUpload, AcceptsNothingOfAFormThatIsNotWhole) {
  const auto good = file_part("a.png", sample("rgb.png"));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {good, "truncated-multipart"},
      {good + part("name=\"widht\"", "100") + kEnd, "unknown-field"},
      {"no form at all", "truncated-multipart"},
      {kEnd, "no-files"},
      {"", "empty-body"},
  };
  for (const auto& [body, code] : cases) {
    Harness harness;
    const auto answer = post_form(harness, body);
    EXPECT_EQ(answer.status, 400) << code;
    EXPECT_EQ(json_of(answer)["images"], json::array());
    EXPECT_EQ(json_of(answer)["code"], code);
    EXPECT_TRUE(harness.events.published().empty()) << code;
    EXPECT_EQ(harness.staged_files(), 0U) << code;
  }
}

TEST(FormUpload, NamesTheUnknownField) {
  Harness harness;
  const auto answer = post_form(harness, part("name=\"widht\"", "100") + kEnd);
  EXPECT_NE(json_of(answer)["detail"].get<std::string>().find("'widht'"), std::string::npos);
}

TEST(FormUpload, AnEmptyFileFieldIsAnEmptyBody) {
  Harness harness;
  const auto answer = post_form(harness, file_part("", "") + kEnd);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(json_of(answer)["images"][0]["code"], "empty-body");
}

TEST(FormUpload, WaitsForEveryAcknowledgement) {
  Harness harness;
  harness.events.hold();
  const auto body =
      part("name=\"a\"", sample("rgb.png")) + part("name=\"b\"", sample("still.gif")) + kEnd;
  auto answer =
      harness.start({http::Method::kPost, "/v1/images", {{"Content-Type", kFormType}}, body});
  harness.events.release_one();
  EXPECT_FALSE(harness.in_flight.wait_until_none(std::chrono::milliseconds(20)));
  harness.events.release_one();
  EXPECT_EQ(json_of(answer->get())["images"].size(), 2U);
}

RC_GTEST_PROP(FormUploadProperty, AnyBodyGetsAnAnswer, ()) {
  static Harness harness;
  std::string body;
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
      rc::gen::arbitrary<std::string>(),
      rc::gen::element("--XyZ\r\n"s, "--XyZ--\r\n"s, "\r\n\r\n"s, "\r\n"s, "--XyZ"s,
                       "Content-Disposition: form-data; name=\"f\"; filename=\"a\""s, "GIF89a"s)));
  for (const auto& piece : pieces) body += piece;
  const auto answer = post_form(harness, body);
  RC_ASSERT(answer.status >= 400);
  RC_ASSERT(json_of(answer)["images"].is_array());
}

}  // namespace
}  // namespace thumb::ingest
