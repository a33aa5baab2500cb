// List, show and redrive against a log in memory, crashes and second runs included.
#include "processor/dlq/commands.h"

#include <gtest/gtest.h>

#include <sstream>

#include "processor/work.h"
#include "tests/support/fake_kafka.h"
#include "tests/unit/processor/request_records.h"

namespace thumb::dlq {
namespace {

using namespace testing;

const std::string kDlq = "t.image-requests-dlq";

// Writes into the log, or fails: before or after it did.
class LogProducer final : public kafka::Producer {
 public:
  explicit LogProducer(FakeCluster& cluster) : cluster_(cluster) {}
  enum class Fault { kNone, kTooLarge, kTimeout, kTimeoutAndWritten };
  int good_ones = 1'000;  // before the fault
  Fault fault = Fault::kNone;

  void produce(OutRecord record, Done done) override {
    const bool faulty = good_ones-- <= 0;
    if (faulty && fault == Fault::kTooLarge) {
      return done(thumb::fail(ErrorKind::kTooLarge, "record-too-large", "too large"));
    }
    if (!faulty || fault == Fault::kTimeoutAndWritten) {
      const auto partition = record.partition.value_or(0);
      const auto offset =
          cluster_.append(record.topic, partition, record, kNoon + std::chrono::hours(1));
      if (!faulty) return done(LogPosition{partition, offset});
    }
    done(fail_transient(ErrorKind::kTimeout, "produce-timeout", "not acknowledged"));
  }

 private:
  FakeCluster& cluster_;
};

class DlqCommandsTest : public ::testing::Test {
 protected:
  // A record that could not be read, and its dead letter; gives the latter's offset.
  std::int64_t bury(const OutRecord& record, bool leave_value_out = false) {
    const auto offset = cluster_.append(kInput, 0, record, kNoon);
    InRecord in{kInput, {0, offset}, kNoon, record.key, record.value, record.headers};
    const Error error{ErrorKind::kCorrupt, Retry::kNever, "invalid-event", "no good", ""};
    OutRecord letter = dead_letter(in, error, kNames);
    if (leave_value_out) letter.value.reset();
    ++seconds_;
    return cluster_.append(kDlq, 0, letter, kNoon + std::chrono::seconds(seconds_));
  }
  Result<void> redrive(std::string_view which, bool dry_run = false) {
    out_.str("");
    const auto selection = which.empty() ? Selection() : parse_selection(which).value();
    return dlq::redrive(log_, selection, kNames, dry_run ? nullptr : &producer_, out_);
  }
  std::vector<InRecord> sent_again() {
    std::vector<InRecord> found;
    for (auto& record : cluster_.records(kInput)) {
      if (redrive_of(record.headers)) found.push_back(std::move(record));
    }
    return found;
  }
  std::string list(ListOptions options) {
    out_.str("");
    EXPECT_TRUE(dlq::list(log_, options, out_));
    return out_.str();
  }

  FakeCluster cluster_{kInput};
  FakeAdmin admin_{cluster_};
  FakePartitionReader letters_{cluster_};
  FakePartitionReader requests_{cluster_};
  LogProducer producer_{cluster_};
  DeadLetterLog log_{{admin_, letters_, requests_}, kNames, {}, {}};
  std::ostringstream out_;
  int seconds_ = 0;
};

TEST_F(DlqCommandsTest, RedriveSendsEachOnce) {
  for (int i = 0; i < 3; ++i) bury(poison());
  ASSERT_TRUE(redrive(""));
  EXPECT_NE(out_.str().find("0:0 sent again as 0:3, attempt 1\n"), std::string::npos) << out_.str();
  EXPECT_TRUE(out_.str().ends_with("3 sent again, 0 skipped, 0 refused\n")) << out_.str();
  EXPECT_EQ(sent_again().size(), 3U);

  ASSERT_TRUE(redrive(""));
  EXPECT_NE(out_.str().find("0:0 skipped: it was sent again as 0:3\n"), std::string::npos);
  EXPECT_TRUE(out_.str().ends_with("0 sent again, 3 skipped, 0 refused\n")) << out_.str();
  EXPECT_EQ(sent_again().size(), 3U);
}

TEST_F(DlqCommandsTest, ADryRunChangesNothing) {
  bury(poison());
  ASSERT_TRUE(redrive("", /*dry_run=*/true));
  EXPECT_TRUE(sent_again().empty());
  EXPECT_EQ(out_.str(),
            "0:0 would be sent to t.image-requests, partition 0, as attempt 1\n"
            "1 to be sent again, 0 skipped, 0 refused\n");
}

TEST_F(DlqCommandsTest, ARunThatWasCutShortIsCarriedOn) {
  for (const auto fault : {LogProducer::Fault::kTimeout, LogProducer::Fault::kTimeoutAndWritten}) {
    for (int i = 0; i < 4; ++i) bury(poison());
    producer_.good_ones = 2;
    producer_.fault = fault;
    const auto cut = redrive("");
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, "produce-timeout");
    EXPECT_NE(out_.str().find("not known to be sent"), std::string::npos) << out_.str();
    producer_.good_ones = 1'000;
    ASSERT_TRUE(redrive(""));
  }
  EXPECT_EQ(sent_again().size(), 8U);
}

TEST_F(DlqCommandsTest, RedriveTakesASelection) {
  for (int i = 0; i < 5; ++i) bury(poison());
  ASSERT_TRUE(redrive("0:1-2"));
  ASSERT_TRUE(redrive("0:4"));
  std::vector<LogPosition> which;
  for (const auto& record : sent_again()) which.push_back(*redrive_of(record.headers));
  EXPECT_EQ(which, (std::vector<LogPosition>{{0, 1}, {0, 2}, {0, 4}}));

  const auto missing = redrive("0:77");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "no-such-dead-letter");
  EXPECT_TRUE(redrive("0:77-99"));
}

TEST_F(DlqCommandsTest, WhatFailsAgainMayBeSentAgain) {
  bury(poison());
  ASSERT_TRUE(redrive("0:0"));
  const InRecord again = sent_again().front();
  const OutRecord letter =
      dead_letter(again, {ErrorKind::kCorrupt, Retry::kNever, "invalid-event", "", ""}, kNames);
  cluster_.append(kDlq, 0, letter, kNoon + std::chrono::hours(2));
  ASSERT_TRUE(redrive(""));
  EXPECT_TRUE(out_.str().ends_with("1 sent again, 1 skipped, 0 refused\n")) << out_.str();
  ASSERT_EQ(sent_again().size(), 2U);
  EXPECT_EQ(redrive_attempt(sent_again().back().headers), 2U);
}

TEST_F(DlqCommandsTest, AValueThatWasLeftOutIsFetched) {
  bury(poison(), /*leave_value_out=*/true);
  ASSERT_TRUE(redrive(""));
  EXPECT_EQ(sent_again().front().value, "not an event");

  out_.str("");
  ASSERT_TRUE(show(log_, {0, 0}, ShowAs::kValueOnly, out_));
  EXPECT_EQ(out_.str(), "not an event");
  out_.str("");
  ASSERT_TRUE(show(log_, {0, 0}, ShowAs::kText, out_));
  EXPECT_NE(out_.str().find("value, 12 bytes, from t.image-requests 0:0\n"), std::string::npos);
}

TEST_F(DlqCommandsTest, ATombstoneStaysOne) {
  auto tombstone = poison();
  tombstone.value.reset();
  bury(tombstone);
  ASSERT_TRUE(redrive(""));
  EXPECT_EQ(sent_again().front().value, std::nullopt);
}

TEST_F(DlqCommandsTest, WhatCanNotBeSentIsSaidAndTheRestIsSent) {
  cluster_.append(kDlq, 0, {kDlq, "key", "from somewhere", {}, {}}, kNoon);
  auto gone = poison();
  gone.value.reset();
  gone.headers = {{"__connect.errors.topic", kInput},
                  {"__connect.errors.partition", "0"},
                  {"__connect.errors.offset", "4711"}};
  cluster_.append(kDlq, 0, gone, kNoon);
  bury(poison());
  const auto done = redrive("");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "not-all-sent");
  EXPECT_NE(out_.str().find("0:0 refused: "), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("0:1 refused: t.image-requests 0:4711 is no longer in the log"),
            std::string::npos)
      << out_.str();
  EXPECT_TRUE(out_.str().ends_with("1 sent again, 0 skipped, 2 refused\n")) << out_.str();
}

TEST_F(DlqCommandsTest, ARecordThatIsTooLargeForTheTopicIsRefused) {
  bury(poison());
  producer_.good_ones = 0;
  producer_.fault = LogProducer::Fault::kTooLarge;
  EXPECT_EQ(redrive("").error().code, "not-all-sent");
}

TEST_F(DlqCommandsTest, ListsTheNewestAndWhatBecameOfThem) {
  EXPECT_EQ(list({}), "0 dead letters\n");
  for (int i = 0; i < 7; ++i) bury(poison());
  ASSERT_TRUE(redrive("0:5"));
  ListOptions options;
  options.limit = 2;
  const auto text = list(options);
  EXPECT_EQ(text.find("0:4 "), std::string::npos) << text;
  EXPECT_LT(text.find("0:5 "), text.find("0:6 ")) << text;
  EXPECT_NE(text.find("sent again as 0:7"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("2 dead letters, and 5 older ones (--limit)\n")) << text;

  options.limit = 0;
  options.as_json = true;
  std::istringstream lines(list(options));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(line.starts_with("{"));
  EXPECT_EQ(count, 7);
}

TEST_F(DlqCommandsTest, ShowKnowsWhatIsNotThere) {
  bury(poison());
  const auto missing = show(log_, {0, 1}, ShowAs::kText, out_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "no-such-dead-letter");
}

}  // namespace
}  // namespace thumb::dlq
