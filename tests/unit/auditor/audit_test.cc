// A whole audit against a log and a blob store in memory: what is read when, blobs, the report.
#include "auditor/audit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "auditor/report.h"
#include "kafka/partitioner.h"
#include "platform/digest.h"
#include "schemas/blob_keys.h"
#include "tests/support/event_samples.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/fake_log.h"

namespace thumb::auditor {
namespace {

using std::chrono::milliseconds;
using thumb::testing::FakeBlobStore;
using thumb::testing::FakeLog;
using thumb::testing::FakePartitionReader;
using thumb::testing::image_id;
using thumb::testing::request_id;

constexpr std::int32_t kPartitions = 2;
constexpr std::int64_t kStartMs = 1'769'860'800'000;

class SetClock final : public Clock {
 public:
  TimeMs at = time_from_ms(kStartMs + 3'600'000);
  [[nodiscard]] TimeMs now() const override { return at; }
};

// The log, and something that happens when its ends are asked for.
class WatchedAdmin final : public kafka::Admin {
 public:
  explicit WatchedAdmin(FakeLog& log) : log_(log) {}
  std::function<void()> on_ask = [] {};

  Result<std::string> cluster_id(milliseconds timeout) override { return log_.cluster_id(timeout); }
  Result<std::int32_t> partition_count(const std::string& topic, milliseconds timeout) override {
    return log_.partition_count(topic, timeout);
  }
  Result<kafka::Watermarks> watermarks(const kafka::TopicPartition& tp,
                                       milliseconds timeout) override {
    on_ask();
    return log_.watermarks(tp, timeout);
  }
  Result<std::int64_t> offset_for_time(const kafka::TopicPartition& tp, TimeMs time,
                                       milliseconds timeout) override {
    return log_.offset_for_time(tp, time, timeout);
  }

 private:
  FakeLog& log_;
};

class AuditTest : public ::testing::Test {
 protected:
  BlobRef put_blob(const std::string& key_before_digest, const std::string& bytes) {
    const std::string sha256 = sha256_hex(as_bytes(bytes));
    const BlobRef blob{key_before_digest + sha256, bytes.size(), sha256, "image/jpeg"};
    store_.set(blob.key, bytes);
    return blob;
  }
  LogPosition append(const Event& event) {
    const auto partition = kafka::partition_for(image_id_of(event).str(), kPartitions);
    return log_.append(event, partition, kStartMs + 1'000 * ++appended_);
  }
  LogPosition upload(std::uint8_t image) {
    auto event = thumb::testing::uploaded(image_id(image));
    event.original = put_blob(image_blob_prefix(event.image_id) + "/original-", "an original");
    return append(event);
  }
  LogPosition complete(std::uint8_t image, LogPosition request) {
    auto event =
        thumb::testing::completed(image_id(image), upload_request_id(image_id(image)), request);
    event.variants[0].blob =
        put_blob(image_blob_prefix(event.image_id) + "/thumbnail-default-", "a thumbnail");
    return append(event);
  }
  std::string key_of(std::uint8_t image, const std::string& kind) {
    for (const auto& key : store_.keys()) {
      if (key.starts_with(image_blob_prefix(image_id(image)) + "/" + kind)) return key;
    }
    return {};
  }
  AuditResult audit(AuditOptions options = {}) {
    options.scan.reading.poll_wait = milliseconds(1);
    const auto result =
        auditor::audit({admin_, reader_, &store_, clock_}, log_.names(), options, {});
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(AuditResult());
  }

  FakeLog log_{kPartitions};
  WatchedAdmin admin_{log_};
  FakePartitionReader reader_{log_};
  FakeBlobStore store_;
  SetClock clock_;
  std::int64_t appended_ = 0;
};

TEST_F(AuditTest, AnEmptyLogIsClean) {
  const auto result = audit();
  EXPECT_TRUE(is_ok(result));
  EXPECT_EQ(result.counts.images, 0U);
}

TEST_F(AuditTest, ReadsEverythingOnceAndPastControlRecords) {
  for (std::uint8_t image = 1; image <= 20; ++image) complete(image, upload(image));
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
    log_.append_control(Topic::kThumbnailCompleted, partition);
    log_.append_control(Topic::kThumbnailFailed, partition);
  }
  reader_.max_batch = 3;
  const auto result = audit();
  EXPECT_TRUE(is_ok(result)) << report_text(result);
  EXPECT_EQ(result.counts.uploads, 20U);
  EXPECT_EQ(result.counts.completed, 20U);
  EXPECT_EQ(result.blobs.checked, 40U);
  EXPECT_EQ(result.blobs.bytes_read, 20UL * (11 + 11));
}

TEST_F(AuditTest, WhatArrivesMeanwhileIsNoFinding) {
  complete(1, upload(1));
  // Behind the audit's back a request is published and completed, while it reads.
  int polls = 0;
  reader_.on_poll = [&] {
    if (++polls == 1) complete(2, upload(2));
  };
  const auto result = audit();
  EXPECT_TRUE(is_ok(result)) << report_text(result);
}

TEST_F(AuditTest, WaitsForOpenRequestsAsLongAsItIsTold) {
  const auto request = upload(1);
  AuditOptions options;
  EXPECT_EQ(audit(options).findings.count(Kind::kNotEnded), 1U);
  // Its end comes while the audit waits for it, after two looks at all partitions.
  std::size_t asked = 0;
  admin_.on_ask = [&] {
    if (++asked == 2 * kAllTopics.size() * kPartitions + 1) complete(1, request);
  };
  options.wait = milliseconds(60'000);
  const auto result = audit(options);
  EXPECT_TRUE(is_ok(result)) << report_text(result);
  EXPECT_EQ(result.counts.completed, 1U);
}

TEST_F(AuditTest, AMissingBlob) {
  complete(1, upload(1));
  ASSERT_TRUE(store_.remove_all(image_blob_prefix(image_id(1))));
  EXPECT_EQ(audit().findings.count(Kind::kBlobMissing), 2U);
  AuditOptions options;
  options.blobs = BlobMode::kExist;
  EXPECT_EQ(audit(options).findings.count(Kind::kBlobMissing), 2U);
  options.blobs = BlobMode::kNone;
  EXPECT_TRUE(is_ok(audit(options)));
}

TEST_F(AuditTest, AnAlteredBlob) {
  complete(1, upload(1));
  store_.set(key_of(1, "thumbnail"), "A thumbnail");
  EXPECT_EQ(audit().findings.count(Kind::kBlobDiffers), 1U);
  AuditOptions options;
  options.blobs = BlobMode::kExist;
  EXPECT_TRUE(is_ok(audit(options)));
  store_.set(key_of(1, "thumbnail"), "longer than it was");
  EXPECT_EQ(audit(options).findings.count(Kind::kBlobDiffers), 1U);
}

TEST_F(AuditTest, BlobsOfADeletedImageMustGo) {
  complete(1, upload(1));
  append(thumb::testing::deleted(image_id(1), request_id(9)));
  EXPECT_EQ(audit().findings.count(Kind::kDeletedBlobLeft), 2U);

  clock_.at = time_from_ms(kStartMs + 10'000);  // within the grace period
  const auto young = audit();
  EXPECT_TRUE(is_ok(young)) << report_text(young);
  EXPECT_EQ(young.blobs.waiting, 2U);

  ASSERT_TRUE(store_.remove_all(image_blob_prefix(image_id(1))));
  EXPECT_TRUE(is_ok(audit()));
}

TEST_F(AuditTest, AnImageDeletedWhileItsBlobsAreLookedAtIsNoFinding) {
  complete(1, upload(1));
  ASSERT_TRUE(store_.remove_all(image_blob_prefix(image_id(1))));
  // The deletion comes right behind what was read, as the removal of blobs comes behind it.
  int idle = 0;
  log_.append_control(Topic::kThumbnailFailed, 0);
  reader_.on_poll = [&] {
    if (++idle == 2) append(thumb::testing::deleted(image_id(1), request_id(9)));
  };
  const auto result = audit();
  EXPECT_TRUE(is_ok(result)) << report_text(result);
}

TEST_F(AuditTest, AStoreThatIsAwayEndsTheAudit) {
  upload(1);
  store_.set_broken(true);
  const auto result = auditor::audit({admin_, reader_, &store_, clock_}, log_.names(), {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
}

TEST_F(AuditTest, AStopEndsTheAudit) {
  upload(1);
  std::stop_source stop;
  stop.request_stop();
  const auto result =
      auditor::audit({admin_, reader_, &store_, clock_}, log_.names(), {}, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "stopped");
}

// Nothing is left to read then: the reading does not notice.
TEST_F(AuditTest, AStopEndsTheWaitForOpenRequests) {
  upload(1);
  std::stop_source stop;
  std::size_t asked = 0;
  admin_.on_ask = [&] {
    if (++asked > kAllTopics.size() * kPartitions) stop.request_stop();
  };
  AuditOptions options;
  options.wait = milliseconds(5'000);
  const auto result =
      auditor::audit({admin_, reader_, &store_, clock_}, log_.names(), options, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "stopped");
}

TEST_F(AuditTest, TheReportsTellTheSame) {
  for (std::uint8_t image = 1; image <= 25; ++image) upload(image);
  const auto result = audit();
  const auto json = nlohmann::json::parse(report_json(result));
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("counts").at("uploads"), 25);
  EXPECT_EQ(json.at("counts").at("records").at("image-requests"), 25);
  EXPECT_EQ(json.at("kinds").at("not-ended"), 25);
  ASSERT_EQ(json.at("findings").size(), 25U);
  const auto& first = json.at("findings").at(0);
  EXPECT_EQ(first.at("kind"), "not-ended");
  EXPECT_EQ(first.at("severity"), "error");
  EXPECT_EQ(first.at("topic"), "image-requests");
  EXPECT_EQ(first.at("offset"), 0);
  EXPECT_EQ(first.at("image_id"), first.at("request_id"));

  const auto text = report_text(result);
  EXPECT_NE(text.find("not-ended (error): 25"), std::string::npos) << text;
  EXPECT_NE(text.find("... and 5 more"), std::string::npos) << text;
  EXPECT_NE(text.find("BROKEN: 25 errors, 0 warnings, 25 open"), std::string::npos) << text;
}

}  // namespace
}  // namespace thumb::auditor
