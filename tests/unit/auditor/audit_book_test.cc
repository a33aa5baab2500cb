// A clean history, broken in one way at a time: each way is found, and called by its name.
#include "auditor/audit_book.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/auditor/history.h"

namespace thumb::auditor {
namespace {

using testing::History;
using testing::kGrace;
using testing::told;
using thumb::testing::image_id;
using thumb::testing::request_id;

// Everything that may happen in a log, once.
struct Life : History {
  LogPosition first = upload(1), second = upload(2), broken = garbage("some key");
  LogPosition again = ask_again(1, 11), repeated = repeat(Topic::kImageRequests, first);
  LogPosition removal = remove_image(2, 12), too_late = ask_again(2, 13);
  LogPosition start_of_first = start(first);
  LogPosition end_of_first = complete(first), end_of_second = complete(second);
  LogPosition end_of_again = complete(again), end_of_too_late = fail(too_late);
  LogPosition letter = bury(broken), sent_again = send_again(letter);
  LogPosition second_letter = bury(sent_again);
};

// What was found, and nothing else was.
void expect_only(const History& history, Kind kind, std::size_t count = 1) {
  const Findings findings = history.audit();
  EXPECT_EQ(findings.count(kind), count) << told(findings);
  EXPECT_EQ(findings.kept().size(), count) << told(findings);
}

TEST(AuditBook, ACleanHistoryHasNoFindings) {
  Life life;
  EXPECT_TRUE(life.audit().kept().empty()) << told(life.audit());

  AuditBook book(life.names, testing::kPartitions);
  life.feed(book);
  EXPECT_EQ(book.open(), 0U);
  const auto findings = book.conclude(time_from_ms(life.now_ms), kGrace);
  const Counts counts = book.counts();
  EXPECT_EQ(counts.uploads, 2U);
  EXPECT_EQ(counts.requests, 2U);
  EXPECT_EQ(counts.repeats, 1U);
  EXPECT_EQ(counts.deletions, 1U);
  EXPECT_EQ(counts.unreadable, 2U);
  EXPECT_EQ(counts.completed, 3U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.dead_letters, 2U);
  EXPECT_EQ(counts.redriven, 1U);
  EXPECT_EQ(counts.images, 2U);
  EXPECT_EQ(counts.deleted_images, 1U);
}

TEST(AuditBook, ARequestThatNeverEnds) {
  Life life;
  life.remove(Topic::kThumbnailCompleted, life.end_of_again);
  expect_only(life, Kind::kNotEnded);
}

TEST(AuditBook, AYoungRequestIsOpenAndNoFinding) {
  Life life;
  life.upload(3);
  EXPECT_TRUE(life.audit(kGrace).kept().empty());
  EXPECT_EQ(life.audit(kGrace + std::chrono::milliseconds(1)).count(Kind::kNotEnded), 1U);

  AuditBook book(life.names, testing::kPartitions);
  life.feed(book);
  EXPECT_EQ(book.open(), 1U);
}

TEST(AuditBook, TwoEndsOfOneRequest) {
  Life life;
  life.repeat(Topic::kThumbnailCompleted, life.end_of_first);
  expect_only(life, Kind::kEndedTwice);
}

TEST(AuditBook, CompletedAndFailed) {
  Life life;
  life.fail(life.again);
  expect_only(life, Kind::kEndedTwice);
}

TEST(AuditBook, FailedAndDeadLettered) {
  Life life;
  life.bury(life.too_late);
  expect_only(life, Kind::kEndedTwice);
}

TEST(AuditBook, TwoDeadLettersOfOneRecord) {
  Life life;
  life.repeat(Topic::kImageRequestsDlq, life.second_letter);
  expect_only(life, Kind::kEndedTwice);
}

TEST(AuditBook, ARepeatWithAnEnd) {
  Life life;
  life.fail(life.repeated);
  expect_only(life, Kind::kRepeatEnded);
}

TEST(AuditBook, ADeadLetterOfARepeat) {
  Life life;
  life.bury(life.repeated);
  expect_only(life, Kind::kRepeatEnded);
}

TEST(AuditBook, TheRepeatOfARepeatIsOneToo) {
  Life life;
  life.now_ms += 14 * 60'000L;
  life.repeat(Topic::kImageRequests, life.first);
  life.now_ms += 14 * 60'000L;
  life.repeat(Topic::kImageRequests, life.first);
  EXPECT_TRUE(life.audit().kept().empty()) << told(life.audit());
}

TEST(AuditBook, ARequestPublishedAgainTooLateEndsASecondTime) {
  Life life;
  life.now_ms += 16 * 60'000L;
  const auto late = life.repeat(Topic::kImageRequests, life.first);
  life.complete(late);
  const Findings findings = life.audit();
  EXPECT_EQ(findings.count(Kind::kLateRepeat), 1U) << told(findings);
  EXPECT_EQ(findings.count(Kind::kRequestEndedAgain), 1U) << told(findings);
  EXPECT_EQ(findings.kept().size(), 2U) << told(findings);
}

TEST(AuditBook, AnEndWithoutItsRequest) {
  Life life;
  life.remove(Topic::kImageRequests, life.again);
  expect_only(life, Kind::kEndWithoutRequest);
}

TEST(AuditBook, AnEndOfWhatAsksForNothing) {
  Life life;
  life.append(thumb::testing::completed(image_id(2), request_id(12), life.removal));
  expect_only(life, Kind::kEndWithoutRequest);
}

TEST(AuditBook, AnEndThatNamesAnotherRequest) {
  Life life;
  life.append(thumb::testing::failed(image_id(1), request_id(77), life.again));
  expect_only(life, Kind::kEndOfAnotherRequest);
}

TEST(AuditBook, AnEndInAnotherPartition) {
  Life life;
  InRecord& end = life.at(Topic::kThumbnailCompleted, life.end_of_again);
  end.position = {(end.position.partition + 1) % testing::kPartitions, 999};
  const Findings findings = life.audit();
  EXPECT_EQ(findings.count(Kind::kEndInOtherPartition), 1U) << told(findings);
  EXPECT_EQ(findings.count(Kind::kWrongPartition), 1U) << told(findings);
  EXPECT_EQ(findings.kept().size(), 2U) << told(findings);
}

TEST(AuditBook, ARequestInTheWrongPartition) {
  Life life;
  auto record = thumb::testing::deleted(image_id(9), request_id(19));
  auto out = encode(record, {time_from_ms(0), "/test", std::nullopt}, life.names);
  out.partition = (kafka::partition_for(out.key, testing::kPartitions) + 1) % testing::kPartitions;
  life.append(Topic::kImageRequests, out);
  expect_only(life, Kind::kWrongPartition);
}

TEST(AuditBook, EndsOfOneImageOutOfOrder) {
  Life life;
  std::swap(life.at(Topic::kThumbnailCompleted, life.end_of_first).position,
            life.at(Topic::kThumbnailCompleted, life.end_of_again).position);
  expect_only(life, Kind::kOutOfOrder);
}

TEST(AuditBook, FailuresOfOneImageOutOfOrder) {
  Life life;
  const auto one = life.ask_again(1, 21);
  const auto two = life.ask_again(1, 22);
  life.fail(two);
  life.fail(one);
  expect_only(life, Kind::kOutOfOrder);
}

TEST(AuditBook, BetweenTopicsThereIsNoOrder) {
  Life life;
  const auto one = life.ask_again(1, 21);
  const auto two = life.ask_again(1, 22);
  life.fail(two);
  life.complete(one);
  EXPECT_TRUE(life.audit().kept().empty()) << told(life.audit());
}

TEST(AuditBook, ARequestBehindTheDeletionCompletes) {
  Life life;
  life.remove(Topic::kThumbnailFailed, life.end_of_too_late);
  life.complete(life.too_late);
  expect_only(life, Kind::kCompletedAfterDelete);
}

TEST(AuditBook, AnUnreadableRecordWithoutDeadLetter) {
  Life life;
  life.garbage("other key");
  expect_only(life, Kind::kNotDeadLettered);
  EXPECT_TRUE(life.audit(kGrace).kept().empty());
}

TEST(AuditBook, ADeadLetterOfNoRecord) {
  Life life;
  const auto letter = life.bury(life.garbage("other key"));
  auto& offset = life.at(Topic::kImageRequestsDlq, letter).headers.back().value;
  offset = "4711";
  const Findings findings = life.audit(kGrace);
  EXPECT_EQ(findings.count(Kind::kDeadLetterWithoutOrigin), 1U) << told(findings);
}

TEST(AuditBook, ADeadLetterThatDoesNotSayWhereItIsFrom) {
  Life life;
  life.append(Topic::kImageRequestsDlq, {"", "key", "value", {}, {}});
  expect_only(life, Kind::kDeadLetterWithoutOrigin);
}

TEST(AuditBook, ADeadLetterWithAnotherValue) {
  Life life;
  life.at(Topic::kImageRequestsDlq, life.second_letter).value = "not what it was";
  expect_only(life, Kind::kDeadLetterDiffers);
}

TEST(AuditBook, ADeadLetterMayLeaveItsValueOut) {
  Life life;
  life.at(Topic::kImageRequestsDlq, life.second_letter).value.reset();
  EXPECT_TRUE(life.audit().kept().empty()) << told(life.audit());
}

TEST(AuditBook, ARecordSentAgainFromNoDeadLetter) {
  Life life;
  const auto odd = life.garbage("key", {{std::string(kRedriveOfHeader), "0:4711"}});
  life.bury(odd);
  expect_only(life, Kind::kRedriveWithoutDeadLetter);
}

TEST(AuditBook, ARecordSentAgainIsNotJudgedBeforeTheDeadLettersAreReadOn) {
  Life life;
  AuditBook book(life.names, testing::kPartitions);
  const auto odd = life.garbage("key", {{std::string(kRedriveOfHeader), "0:4711"}});
  life.bury(odd);
  for (const auto& [topic, records] : life.records) {
    for (const auto& record : records) book.add(record);
  }
  EXPECT_TRUE(book.unsettled());
  EXPECT_TRUE(book.conclude(time_from_ms(life.now_ms), kGrace).kept().empty());
}

TEST(AuditBook, ADeadLetterSentAgainTwice) {
  Life life;
  life.bury(life.send_again(life.letter));
  expect_only(life, Kind::kRedrivenTwice);
}

TEST(AuditBook, AReadableDeadLetterMayBeSentAgain) {
  Life life;
  const auto letter = life.bury(life.upload(5));
  expect_only(life, Kind::kReadableDeadLetter);
  life.complete(life.send_again(letter));
  EXPECT_TRUE(life.audit().kept().empty()) << told(life.audit());
}

TEST(AuditBook, AHandledRequestSentAgainEndsASecondTime) {
  Life life;
  const InRecord& record = life.at(Topic::kImageRequests, life.first);
  OutRecord out{record.topic, record.key, record.value, record.headers, {}};
  out.headers.push_back({std::string(kRedriveAttemptHeader), "1"});
  life.complete(life.append(Topic::kImageRequests, out));
  expect_only(life, Kind::kRequestEndedAgain);
}

TEST(AuditBook, AnUnreadableEvent) {
  Life life;
  life.at(Topic::kThumbnailStarted, life.start_of_first).value = "{}";
  expect_only(life, Kind::kUnreadable);
}

TEST(AuditBook, AWrongEventId) {
  Life life;
  for (auto& header : life.at(Topic::kThumbnailFailed, life.end_of_too_late).headers) {
    if (header.name == "ce_id") header.value = "another";
  }
  expect_only(life, Kind::kWrongEventId);
}

TEST(AuditBook, ARequestIdOfAnotherImage) {
  Life life;
  const auto reused = life.ask_again(5, 11);
  ASSERT_EQ(reused.partition, life.again.partition);  // so the processor takes it for a repeat
  expect_only(life, Kind::kRequestIdReused);
}

TEST(AuditBook, AStartWithoutARequest) {
  Life life;
  life.append(thumb::testing::started(image_id(1), request_id(77), life.again));
  expect_only(life, Kind::kStartWithoutRequest);
}

TEST(AuditBook, ABlobThatIsNotNamedAfterItsImage) {
  Life life;
  auto event = thumb::testing::requested(image_id(1), request_id(31));
  event.original = thumb::testing::original_of(image_id(3));
  life.complete(life.append(event));
  expect_only(life, Kind::kBlobMisnamed);
}

TEST(AuditBook, WhatTheLogNoLongerHoldsIsNotJudged) {
  Life life;
  AuditBook book(life.names, testing::kPartitions);
  std::map<std::int32_t, std::int64_t> first_kept;
  for (const auto& record : life.records[Topic::kImageRequests]) {
    auto& first = first_kept[record.position.partition];
    first = std::max(first, record.position.offset + 1);
  }
  life.records.erase(Topic::kImageRequests);
  for (const auto& [partition, first] : first_kept) {
    book.begins_at(Topic::kImageRequests, partition, first);
  }
  life.feed(book);
  const auto findings = book.conclude(time_from_ms(life.now_ms), kGrace);
  EXPECT_EQ(findings.count(Severity::kError), 0U) << told(findings);
  EXPECT_EQ(findings.count(Kind::kHistoryCut), first_kept.size());
  EXPECT_EQ(book.counts().before_log, 6U);
}

TEST(Findings, EveryKindIsExplainedToOperators) {
  std::ifstream file(THUMB_SOURCE_DIR "/docs/audit.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const auto name = name_of(static_cast<Kind>(kind));
    EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos) << name;
  }
}

TEST(Findings, KeepsTheFirstThousandOfAKindAndCountsThemAll) {
  Findings findings;
  for (int i = 0; i < 1'500; ++i) findings.add({Kind::kNotEnded, {}, {0, i}, {}, {}, {}});
  findings.add({Kind::kLateRepeat, {}, {}, {}, {}, {}});
  EXPECT_EQ(findings.count(Kind::kNotEnded), 1'500U);
  EXPECT_EQ(findings.count(Severity::kError), 1'500U);
  EXPECT_EQ(findings.count(Severity::kWarning), 1U);
  EXPECT_EQ(findings.kept().size(), Findings::kKeptPerKind + 1);
}

}  // namespace
}  // namespace thumb::auditor
