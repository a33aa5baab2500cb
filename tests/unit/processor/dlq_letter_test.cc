// The pure parts of the commands about dead letters: what is read from one, what is made of one.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kafka/partitioner.h"
#include "platform/text.h"
#include "processor/dlq/dead_letter.h"
#include "processor/dlq/letter_text.h"
#include "processor/work.h"
#include "tests/unit/processor/request_records.h"

namespace thumb::dlq {
namespace {

using namespace testing;

// What is read back from the topic after the processor wrote a dead letter of `record`.
InRecord letter_of(const InRecord& record, LogPosition position) {
  const Error error{ErrorKind::kCorrupt, Retry::kNever, "invalid-event", "bytes is no number", ""};
  const OutRecord out = dead_letter(record, error, kNames);
  return {out.topic, position, kNoon, out.key, out.value, out.headers};
}

TEST(DeadLetterOf, ReadsWhatTheProcessorWrote) {
  const auto letter = dead_letter_of(letter_of(poison_at({4, 99}), {2, 7}));
  EXPECT_EQ(letter.position, (LogPosition{2, 7}));
  EXPECT_EQ(letter.at, kNoon);
  EXPECT_EQ(letter.key, "some key");
  ASSERT_TRUE(letter.origin);
  EXPECT_EQ(*letter.origin, (DeadLetterOrigin{kInput, {4, 99}}));
  EXPECT_EQ(letter.stage, "VALUE_CONVERTER");
  EXPECT_EQ(letter.code, "invalid-event");
  EXPECT_EQ(letter.message, "bytes is no number");
  EXPECT_EQ(letter.attempt, 0U);
  EXPECT_EQ(letter.sent_from, std::nullopt);
  EXPECT_EQ(letter.value_bytes, 12U);
}

TEST(DeadLetterOf, TakesARecordOfAForeignHand) {
  const auto letter = dead_letter_of({"t.image-requests-dlq", {0, 1}, kNoon, "", {}, {}});
  EXPECT_EQ(letter.origin, std::nullopt);
  EXPECT_EQ(letter.value_bytes, std::nullopt);
}

TEST(RecordToSend, IsTheRecordAsItWasAndWhereItCameFrom) {
  const InRecord record = poison_at({4, 99});
  const InRecord letter = letter_of(record, {2, 7});
  const OutRecord again = record_to_send(letter, letter.value, kNames, 12);
  EXPECT_EQ(again.topic, kInput);
  EXPECT_EQ(again.key, record.key);
  EXPECT_EQ(again.value, record.value);
  EXPECT_EQ(again.partition, kafka::partition_for(record.key, 12));
  const std::vector<Header> headers = {
      {"origin", "test"},
      {"thumb_redrive_attempt", "1"},
      {"thumb_redrive_of", "2:7"},
      {"thumb_redrive_cause", "invalid-event: bytes is no number"}};
  EXPECT_EQ(again.headers, headers);
}

TEST(RecordToSend, GoesThroughTheDeadLettersAgainAndAgain) {
  const OutRecord once =
      record_to_send(letter_of(poison_at({4, 99}), {2, 7}), "not an event", kNames, 12);
  const InRecord stands{kInput, {3, 200}, kNoon, once.key, once.value, once.headers};
  const InRecord second = letter_of(stands, {2, 8});
  const auto letter = dead_letter_of(second);
  EXPECT_EQ(letter.attempt, 1U);
  EXPECT_EQ(letter.sent_from, (LogPosition{2, 7}));
  EXPECT_EQ(header_of(second.headers, kRedriveCauseHeader), "invalid-event: bytes is no number");

  const OutRecord twice = record_to_send(second, second.value, kNames, 12);
  EXPECT_EQ(redrive_attempt(twice.headers), 2U);
  EXPECT_EQ(redrive_of(twice.headers), (LogPosition{2, 8}));
  EXPECT_EQ(twice.headers.size(), once.headers.size());
}

TEST(RecordToSend, WithoutAKeyGoesWhereItStood) {
  InRecord record = poison_at({4, 99});
  record.key.clear();
  EXPECT_EQ(record_to_send(letter_of(record, {2, 7}), {}, kNames, 12).partition, 4);
}

TEST(RecordToSend, IsAnotherRequestForTheProcessor) {
  const InRecord record = in_record(uploaded(image_id(1)), {0, 5});
  const InRecord letter = letter_of(record, {0, 0});
  const OutRecord out = record_to_send(letter, letter.value, kNames, 12);
  const auto work = understand({out.topic, {0, 6}, kNoon, out.key, out.value, out.headers});
  ASSERT_TRUE(work);
  EXPECT_EQ(work->request.attempt, 1U);
}

TEST(ParseSelection, TakesOneOrAStretch) {
  const auto one = parse_selection("3:17");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->is_one());
  EXPECT_EQ(one->partition, 3);
  EXPECT_EQ(one->first, 17);
  const auto stretch = parse_selection("3:17-20");
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->last, 20);
  EXPECT_FALSE(stretch->is_one());
  for (const auto* bad : {"", "3", "3:", "-3:1", "3:1-", "3:5-4", "3:1-2-3", "a:b", "3:1 ",
                          "3:0-9223372036854775807", "3:0-99999999999999999999"}) {
    EXPECT_FALSE(parse_selection(bad)) << bad;
  }
}

TEST(LetterText, ListsTextAndBytesOnOneLine) {
  InRecord record = poison_at({4, 99});
  record.key = "\x1b[31m\xff";
  const auto letter = dead_letter_of(letter_of(record, {2, 7}));
  EXPECT_EQ(
      list_line(letter, std::nullopt),
      "2:7        2026-01-31T12:00:00.000Z  t.image-requests 4:99  attempt 0  not sent again  "
      "VALUE_CONVERTER  invalid-event  key 0x1b5b33316dff: bytes is no number");
  const auto json = nlohmann::json::parse(list_json(letter, LogPosition{3, 200}));
  EXPECT_EQ(json.at("dead_letter"), "2:7");
  EXPECT_EQ(json.at("partition"), 4);
  EXPECT_EQ(json.at("offset"), 99);
  EXPECT_EQ(json.at("sent_as"), "3:200");
  EXPECT_EQ(json.at("sent_from"), nullptr);
  EXPECT_EQ(json.at("key_base64"), to_base64(as_bytes(record.key)));
}

TEST(LetterText, ShowsAValueThatIsText) {
  const InRecord letter = letter_of(poison_at({4, 99}), {2, 7});
  const auto text = show_text(letter, letter.value, "");
  EXPECT_NE(text.find("  origin: test\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("value, 12 bytes\nnot an event\n")) << text;
  const auto json = nlohmann::json::parse(show_json(letter, letter.value, ""));
  EXPECT_EQ(json.at("value"), "not an event");
  EXPECT_EQ(json.at("headers").at(0).at("name"), "origin");
}

TEST(LetterText, ShowsAValueThatIsNone) {
  const InRecord letter = letter_of(poison_at({4, 99}), {2, 7});
  const std::string bytes(
      "\x00\xff"
      "A",
      3);
  EXPECT_TRUE(show_text(letter, bytes, "there")
                  .ends_with("value, 3 bytes, from there\n"
                             "00000000  00 ff 41                                         |..A|\n"));
  const auto json = nlohmann::json::parse(show_json(letter, bytes, "there"));
  EXPECT_EQ(json.at("value_base64"), "AP9B");
  EXPECT_EQ(json.at("value_from"), "there");
  EXPECT_TRUE(show_text(letter, std::nullopt, "").ends_with("no value\n"));
  EXPECT_EQ(nlohmann::json::parse(show_json(letter, std::nullopt, "")).at("value"), nullptr);
}

}  // namespace
}  // namespace thumb::dlq
