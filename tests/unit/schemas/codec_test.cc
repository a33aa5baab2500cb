// Events go onto the log and come back the same; anything else is refused with a reason.
#include "schemas/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "tests/support/event_samples.h"

namespace thumb {
namespace {

using testing::image_id;
using testing::one_of_each;
using testing::uploaded;

const TopicNames kNames("t-");
constexpr const char* kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

InRecord arrived(OutRecord out) {
  return {std::move(out.topic),  {3, 7}, time_from_ms(1), std::move(out.key), std::move(out.value),
          std::move(out.headers)};
}

InRecord record_of(const Event& event, std::optional<std::string> trace = std::nullopt) {
  return arrived(encode(event, {time_from_ms(5), "/thumbstream/test", std::move(trace)}, kNames));
}

std::string header(const InRecord& record, std::string_view name) {
  const auto at = std::ranges::find(record.headers, name, &Header::name);
  return at == record.headers.end() ? "(none)" : at->value;
}

void set_header(InRecord& record, std::string_view name, std::string value) {
  std::ranges::find(record.headers, name, &Header::name)->value = std::move(value);
}

TEST(Codec, EveryEventComesBackAsItWent) {
  for (const auto& event : one_of_each()) {
    const auto decoded = decode(record_of(event, kTrace));
    ASSERT_TRUE(decoded) << event_name(event) << ": " << decoded.error().message;
    EXPECT_EQ(decoded->event, event) << event_name(event);
  }
}

TEST(Codec, WritesCloudEventsBinaryMode) {
  const auto id = image_id(1);
  const auto record = record_of(uploaded(id), kTrace);
  EXPECT_EQ(record.topic, "t-image-requests");
  EXPECT_EQ(record.key, id.str());
  EXPECT_EQ(header(record, "ce_specversion"), "1.0");
  EXPECT_EQ(header(record, "ce_id"), id.str() + ":image-uploaded");
  EXPECT_EQ(header(record, "ce_source"), "/thumbstream/test");
  EXPECT_EQ(header(record, "ce_type"), "io.thumbstream.image-uploaded.v1");
  EXPECT_EQ(header(record, "ce_subject"), id.str());
  EXPECT_EQ(header(record, "ce_time"), "1970-01-01T00:00:00.005Z");
  EXPECT_EQ(header(record, "content-type"), "application/json");
  EXPECT_EQ(header(record, "ce_datacontenttype"), "(none)");
  EXPECT_EQ(header(record, "traceparent"), kTrace);
}

TEST(Codec, ARepeatHasTheSameEventId) {
  const auto event = testing::completed(image_id(1), testing::request_id(2), {1, 2});
  auto later = event;
  later.started_at += std::chrono::seconds(9);
  EXPECT_EQ(decode(record_of(event))->event_id, decode(record_of(later))->event_id);
}

TEST(Codec, TracesThatAreNotValidAreDropped) {
  EXPECT_EQ(decode(record_of(uploaded(image_id(1)), kTrace))->traceparent, kTrace);
  EXPECT_FALSE(decode(record_of(uploaded(image_id(1)), "00-zz"))->traceparent);
}

TEST(Codec, HeaderNamesAreReadInAnyCase) {
  auto record = record_of(uploaded(image_id(1)));
  for (auto& h : record.headers) {
    std::ranges::transform(h.name, h.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  EXPECT_TRUE(decode(record));
}

TEST(Codec, StructuredModeIsReadToo) {
  auto record = record_of(uploaded(image_id(1)));
  record.value = R"({"specversion":"1.0","id":"x","source":"/elsewhere",)"
                 R"("type":"io.thumbstream.image-uploaded.v1","data":)" +
                 *record.value + "}";
  record.headers = {{"Content-Type", "Application/CloudEvents+json; charset=UTF-8"}};
  const auto decoded = decode(record);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->event, Event(uploaded(image_id(1))));
}

TEST(Codec, ATombstoneNeedsNoHeaders) {
  const InRecord record{"t-image-private", {0, 1}, time_from_ms(1), image_id(4).str(), {}, {}};
  const auto decoded = decode(record);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->event, Event(ImagePrivateErased{image_id(4)}));
}

TEST(Codec, ATombstoneElsewhereIsNotAnEvent) {
  const InRecord record{"t-image-requests", {0, 1}, time_from_ms(1), image_id(4).str(), {}, {}};
  EXPECT_EQ(decode(record).error().code, "not-a-cloudevent");
}

TEST(Codec, UnknownVersionsAndTypesAreToldApart) {
  auto next_version = record_of(uploaded(image_id(1)));
  set_header(next_version, "ce_type", "io.thumbstream.image-uploaded.v2");
  EXPECT_EQ(decode(next_version).error().code, "unknown-event-version");
  auto unknown = record_of(uploaded(image_id(1)));
  set_header(unknown, "ce_type", "io.thumbstream.image-eaten.v1");
  EXPECT_EQ(decode(unknown).error().code, "unknown-event-type");
  auto foreign = record_of(uploaded(image_id(1)));
  set_header(foreign, "ce_type", "com.example.v1");
  EXPECT_EQ(decode(foreign).error().code, "unknown-event-type");
  auto plain = record_of(uploaded(image_id(1)));
  plain.headers.clear();
  EXPECT_EQ(decode(plain).error().code, "not-a-cloudevent");
}

TEST(Codec, AnEventOnAnotherTopicOrUnderAnotherKeyIsRefused) {
  auto misplaced = record_of(uploaded(image_id(1)));
  misplaced.topic = "t-thumbnail-completed";
  EXPECT_EQ(decode(misplaced).error().code, "unknown-event-type");
  auto miskeyed = record_of(uploaded(image_id(1)));
  miskeyed.key = image_id(2).str();
  EXPECT_EQ(decode(miskeyed).error().code, "invalid-event");
}

TEST(Codec, ErrorsNameTheField) {
  auto record = record_of(uploaded(image_id(1)));
  const auto at = record.value->find("\"sha256\":\"");
  record.value->replace(at + 10, 4, "");
  const auto decoded = decode(record);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(decoded.error().retry, Retry::kNever);
  EXPECT_NE(decoded.error().message.find("original.sha256"), std::string::npos)
      << decoded.error().message;
}

TEST(Codec, AnyBytesAreAnsweredWithoutHarm) {
  EXPECT_TRUE(rc::check("garbage", [](const std::string& value) {
    auto record = record_of(uploaded(image_id(1)));
    record.value = value;
    RC_ASSERT(!decode(record).has_value());
  }));
  EXPECT_TRUE(rc::check("one byte changed", [](std::size_t at, char to) {
    auto record = record_of(testing::completed(image_id(1), testing::request_id(1), {0, 1}));
    (*record.value)[at % record.value->size()] = to;
    (void)decode(record);  // valid or not, it must answer
  }));
}

TEST(Codec, DeeplyNestedJsonIsHarmless) {
  auto record = record_of(uploaded(image_id(1)));
  record.value = std::string(500'000, '[');
  EXPECT_EQ(decode(record).error().code, "invalid-event");
  const std::string nested = std::string(300'000, '[') + std::string(300'000, ']');
  record.value = nested;
  EXPECT_EQ(decode(record).error().code, "invalid-event");

  set_header(record, "content-type", "application/cloudevents+json");
  for (const auto& data : {nested, R"({"a":)" + nested + "}", std::string(500'000, '[')}) {
    record.value = R"({"specversion":"1.0","id":"1","source":"/x",)"
                   R"("type":"io.thumbstream.image-uploaded.v1","data":)" +
                   data + "}";
    EXPECT_EQ(decode(record).error().code, "not-a-cloudevent");
  }
}

}  // namespace
}  // namespace thumb
