#include "processor/handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "platform/digest.h"
#include "schemas/blob_keys.h"
#include "schemas/trace.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/fake_kafka.h"
#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kOriginal = "the bytes of an original";
const std::string kThumbnail = "the bytes of a thumbnail";
const std::string kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

// Makes a "thumbnail" of anything, or fails as told.
class FakeMaker final : public ThumbnailMaker {
 public:
  Result<MadeThumbnails> make(ByteView original, std::span<const VariantSpec> variants,
                              const MakeLimits& limits) override {
    seen_limits = limits;
    if (throws) throw std::runtime_error("a bug");
    if (error) return Failure(*error);
    EXPECT_EQ(as_text(original), kOriginal);
    meanwhile();
    MadeThumbnails made{{400, 300}, {}};
    for (const auto& variant : variants) {
      made.thumbnails.push_back({variant.name,
                                 ImageFormat::kPng,
                                 {100, 75},
                                 kThumbnail,
                                 sha256_hex(as_bytes(kThumbnail))});
    }
    return made;
  }

  std::optional<Error> error;
  bool throws = false;
  std::function<void()> meanwhile = [] {};
  MakeLimits seen_limits;
};

class FixedClock final : public Clock {
 public:
  TimeMs now() const override { return kNoon + milliseconds(40); }
};

class HandlerTest : public ::testing::Test {
 protected:
  HandlerTest() { blobs_.set(original().key, kOriginal); }

  static BlobRef original() {
    const std::string digest = sha256_hex(as_bytes(kOriginal));
    return {original_blob_key(image_id(1), digest), kOriginal.size(), digest, "image/jpeg"};
  }

  static ImageUploaded upload() {
    ImageUploaded event = uploaded(image_id(1));
    event.original = original();
    event.tenant = "acme";
    return event;
  }

  Result<Outcome> handle(const Event& event, unsigned attempt = 0,
                         const std::stop_token& revoked = {}) {
    InRecord record = in_record(event, {3, 17});
    record.headers.push_back({"traceparent", kTrace});
    const auto work = understand(record);
    EXPECT_TRUE(work);
    return handler_.handle(*work, attempt, revoked);
  }

  // The one event that the outcome holds.
  template <typename E>
  E event_of(const Result<Outcome>& outcome) {
    if (!outcome || outcome->outputs.size() != 1) {
      ADD_FAILURE() << "no outcome with one event";
      return {};
    }
    const OutRecord& out = outcome->outputs[0];
    const auto decoded = decode({out.topic, {}, {}, out.key, out.value, out.headers});
    EXPECT_TRUE(decoded && std::holds_alternative<E>(decoded->event));
    return decoded ? std::get<E>(decoded->event) : E{};
  }

  FakeBlobStore blobs_;
  FakeMaker maker_;
  FakeProducer hints_;
  FixedClock clock_;
  Log log_{"test", LogLevel::kError};
  Metrics metrics_;
  ProcessorMetrics processor_metrics_{metrics_};
  RequestHandler handler_{
      {blobs_, maker_, hints_, clock_, system_random_bytes(), log_, processor_metrics_},
      kNames,
      {{.max_pixels = 123}, 1'000}};
};

TEST_F(HandlerTest, AnUploadGetsItsThumbnailStoredAndNamed) {
  const auto outcome = handle(upload());
  const auto event = event_of<ThumbnailCompleted>(outcome);
  EXPECT_EQ(outcome->ending, Ending::kCompleted);
  EXPECT_EQ(event.image_id, image_id(1));
  EXPECT_EQ(event.request_id, upload_request_id(image_id(1)));
  EXPECT_EQ(event.tenant, "acme");
  EXPECT_EQ(event.actor, "service:processor");
  EXPECT_EQ(event.request, (LogPosition{3, 17}));
  EXPECT_EQ(event.started_at, kNoon + milliseconds(40));
  EXPECT_EQ(event.stages.waited, milliseconds(40));
  EXPECT_EQ(event.original_size, (PixelSize{400, 300}));
  ASSERT_THAT(event.variants, SizeIs(1));
  const BlobRef& blob = event.variants[0].blob;
  EXPECT_EQ(blob.key, thumbnail_blob_key(image_id(1), event.variants[0].name, blob.sha256));
  EXPECT_EQ(blob.content_type, "image/png");
  EXPECT_EQ(blob.bytes, kThumbnail.size());
  EXPECT_EQ(blobs_.bytes_of(blob.key), kThumbnail);
  EXPECT_EQ(maker_.seen_limits.max_pixels, 123U);
}

TEST_F(HandlerTest, ALaterRequestIsAnsweredUnderItsOwnId) {
  ThumbnailRequested again = requested(image_id(1), request_id(9));
  again.original = original();
  again.variants = {{"tiny", 10, 10}, {"huge", 1'000, 1'000}};
  const auto event = event_of<ThumbnailCompleted>(handle(again));
  EXPECT_EQ(event.request_id, request_id(9));
  ASSERT_THAT(event.variants, SizeIs(2));
  EXPECT_EQ(event.variants[1].name, "huge");
}

TEST_F(HandlerTest, TheSameRequestGivesTheSameEventAgain) {
  const auto id_of = [](const Result<Outcome>& outcome) {
    return header_of(outcome->outputs.at(0).headers, "ce_id");
  };
  EXPECT_EQ(id_of(handle(upload())), id_of(handle(upload(), 1)));
}

TEST_F(HandlerTest, TheTraceGoesOnWithANewSpan) {
  const auto outcome = handle(upload());
  const std::string trace = header_of(outcome->outputs.at(0).headers, "traceparent");
  ASSERT_TRUE(valid_traceparent(trace));
  EXPECT_EQ(trace_id_of(trace), trace_id_of(kTrace));
  EXPECT_NE(trace, kTrace);
  EXPECT_EQ(header_of(hints_.produced().at(0).headers, "traceparent"), trace);
}

TEST_F(HandlerTest, AHintIsSentOnceAndItsLossHarmsNobody) {
  (void)handle(upload());
  ASSERT_THAT(hints_.produced(), SizeIs(1));
  EXPECT_EQ(hints_.produced()[0].topic, "t.thumbnail-started");
  (void)handle(upload(), 1);
  EXPECT_THAT(hints_.produced(), SizeIs(1));
  hints_.fail(true);
  EXPECT_EQ(handle(upload())->ending, Ending::kCompleted);
  EXPECT_EQ(processor_metrics_.hints_lost.Value(), 1.0);
}

TEST_F(HandlerTest, TheImagesOwnFaultsAreTerminal) {
  const auto code_of = [&] {
    const auto outcome = handle(upload());
    EXPECT_EQ(outcome->ending, Ending::kFailed);
    const auto event = event_of<ThumbnailFailed>(outcome);
    EXPECT_EQ(event.request_id, upload_request_id(image_id(1)));
    EXPECT_FALSE(event.message.empty());
    EXPECT_EQ(event.message.find("secret"), std::string::npos);
    return event.code;
  };
  maker_.error = Error{ErrorKind::kCorrupt, Retry::kNever, "corrupt-image", "Broken.", "secret"};
  EXPECT_EQ(code_of(), "corrupt-image");
  maker_.error.reset();
  maker_.throws = true;
  EXPECT_EQ(code_of(), "internal");
  maker_.throws = false;
  blobs_.set(original().key, "other bytes");
  EXPECT_EQ(code_of(), "original-corrupt");
  blobs_.set(original().key, std::string(1'001, 'x'));
  EXPECT_EQ(code_of(), "original-too-large");
  (void)blobs_.remove_all(image_blob_prefix(image_id(1)));
  EXPECT_EQ(code_of(), "original-gone");
}

TEST_F(HandlerTest, PassingTroubleIsNoOutcome) {
  blobs_.set_broken(true);
  EXPECT_EQ(handle(upload()).error().retry, Retry::kBackoff);
  EXPECT_EQ(handle(deleted(image_id(1), request_id(2))).error().retry, Retry::kBackoff);
  blobs_.set_broken(false);
  maker_.error = Error{ErrorKind::kUnavailable, Retry::kBackoff, "image-engine-busy", "", ""};
  EXPECT_EQ(handle(upload()).error().retry, Retry::kBackoff);
  EXPECT_THAT(blobs_.keys(), ElementsAre(original().key));
}

// The next owner may have removed the image while its thumbnail was made here.
TEST_F(HandlerTest, NothingIsStoredOnceThePartitionIsAnothers) {
  std::stop_source revoked;
  revoked.request_stop();
  EXPECT_EQ(handle(upload(), 0, revoked.get_token()).error().code, "revoked");
  EXPECT_THAT(blobs_.keys(), ElementsAre(original().key));
}

// As a processor does that is frozen while it decodes, and has yet to learn that it lost the
// partition.
TEST_F(HandlerTest, WhatIsStoredBehindADeletionIsTakenBack) {
  maker_.meanwhile = [&] { EXPECT_TRUE(blobs_.remove_all(image_blob_prefix(image_id(1)))); };
  EXPECT_EQ(event_of<ThumbnailFailed>(handle(upload())).code, "original-gone");
  EXPECT_THAT(blobs_.keys(), IsEmpty());
}

TEST_F(HandlerTest, AHintStandsWhereItsRequestStands) {
  (void)handle(upload());
  EXPECT_EQ(hints_.produced().at(0).partition, 3);
}

TEST_F(HandlerTest, ADeletionTakesTheBlobsOfItsImageOnly) {
  const std::string other = original_blob_key(image_id(2), std::string(64, 'b'));
  blobs_.set(other, "other");
  (void)handle(upload());
  const auto outcome = handle(deleted(image_id(1), request_id(2)));
  EXPECT_EQ(outcome->ending, Ending::kDeleted);
  EXPECT_THAT(outcome->outputs, IsEmpty());
  EXPECT_THAT(blobs_.keys(), ElementsAre(other));
  EXPECT_EQ(handle(deleted(image_id(1), request_id(2)))->ending, Ending::kDeleted);
}

}  // namespace
}  // namespace thumb
