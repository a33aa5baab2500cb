#include "processor/work.h"

#include <gtest/gtest.h>

#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;

TEST(Understand, KnowsTheThreeRequests) {
  const auto upload = understand(in_record(uploaded(image_id(1)), {3, 7}));
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->request.request, upload_request_id(image_id(1)));
  EXPECT_EQ(upload->request.attempt, 0U);
  EXPECT_EQ(upload->position, (LogPosition{3, 7}));
  EXPECT_EQ(upload->appended_at, kNoon);
  EXPECT_FALSE(is_deletion(*upload));
  const auto again = understand(in_record(requested(image_id(1), request_id(2)), {3, 8}));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->request.request, request_id(2));
  const auto removal = understand(in_record(deleted(image_id(1), request_id(3)), {3, 9}));
  ASSERT_TRUE(removal);
  EXPECT_TRUE(is_deletion(*removal));
}

TEST(Understand, ReadsTheRedriveAttempt) {
  InRecord record = in_record(uploaded(image_id(1)), {0, 0});
  record.headers.push_back({std::string(kRedriveAttemptHeader), "2"});
  EXPECT_EQ(understand(record)->request.attempt, 2U);
  record.headers.back().value = "many";
  EXPECT_EQ(understand(record)->request.attempt, 0U);
}

TEST(Understand, RefusesWhatIsNoRequest) {
  EXPECT_FALSE(understand(poison_at({0, 0})));
  InRecord other = in_record(completed(image_id(1), request_id(1), {0, 0}), {0, 0});
  EXPECT_FALSE(understand(other));
  other.topic = "t.thumbnail-completed";
  EXPECT_EQ(understand(other).error().code, "unexpected-event");
}

TEST(DeadLetter, KeepsTheRecordWholeAndSaysWhatHappened) {
  const InRecord record = poison_at({4, 99});
  const Error error{ErrorKind::kCorrupt, Retry::kNever, "invalid-event", std::string(5'000, 'x'),
                    ""};
  const OutRecord letter = dead_letter(record, error, kNames);
  EXPECT_EQ(letter.topic, "t.image-requests-dlq");
  EXPECT_EQ(letter.key, record.key);
  EXPECT_EQ(letter.value, record.value);
  EXPECT_EQ(header_of(letter.headers, "origin"), "test");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.topic"), kInput);
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.partition"), "4");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.offset"), "99");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.exception.class.name"), "invalid-event");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.exception.message"), std::string(512, 'x'));
  EXPECT_EQ(header_of(letter.headers, "kafka_dlt-original-topic"), kInput);
}

TEST(DeadLetter, ItsHeadersAreText) {
  const Error error{ErrorKind::kCorrupt, Retry::kNever, "unknown-event-type", "ce_type '\xff\xfe'",
                    ""};
  const auto letter = dead_letter(poison_at({4, 99}), error, kNames);
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.exception.message"),
            "ce_type '?"
            "?'");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.connector.name"), "thumbstream-processor");
  EXPECT_EQ(header_of(letter.headers, "__connect.errors.task.id"), "4");
}

TEST(DeadLetter, ATombstoneStaysOne) {
  InRecord record = poison_at({0, 0});
  record.value.reset();
  EXPECT_EQ(dead_letter(record, {}, kNames).value, std::nullopt);
}

}  // namespace
}  // namespace thumb
