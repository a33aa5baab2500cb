// Coalescing, and that no waiter is ever told by an answer older than its question.
#include "ingest/freshness.h"

#include <gtest/gtest.h>

#include <future>

#include "fakes.h"
#include "tests/support/fake_view_reader.h"

namespace thumb::ingest {
namespace {

using namespace std::chrono_literals;

class FreshnessTest : public ::testing::Test {
 protected:
  using Outcome = std::future<Result<void>>;

  Outcome await(Freshness& freshness, std::int32_t partition) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    auto future = promise->get_future();
    freshness.await(partition,
                    [promise](const Result<void>& result) { promise->set_value(result); });
    return future;
  }
  static std::string code(Outcome& outcome) {
    if (outcome.wait_for(60s) != std::future_status::ready) return "none";
    const auto result = outcome.get();
    return result ? "fresh" : result.error().code;
  }
  static bool pending(const Outcome& outcome) {
    return outcome.wait_for(0s) == std::future_status::timeout;
  }

  Metrics metrics_;
  test::FakeEnds ends_;
  thumb::testing::FakeViewReader view_;
};

TEST_F(FreshnessTest, IsFreshAtOnceIfTheViewIsThere) {
  Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
  ends_.set_end(2, 10);
  view_.advance(Topic::kImageRequests, 2, 10);
  auto outcome = await(freshness, 2);
  EXPECT_EQ(code(outcome), "fresh");
}

TEST_F(FreshnessTest, WaitsForTheViewToReachTheEnd) {
  Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
  ends_.set_end(0, 10);
  auto outcome = await(freshness, 0);
  ends_.wait_for_questions(0, 1);
  view_.advance(Topic::kImageRequests, 0, 9);
  view_.advance(Topic::kImageRequests, 1, 10);  // another partition's progress is not enough
  EXPECT_TRUE(pending(outcome));
  view_.advance(Topic::kImageRequests, 0, 10);
  EXPECT_EQ(code(outcome), "fresh");
}

// The heart of guarantee 6: an answer under way when a miss arrives may predate its record.
TEST_F(FreshnessTest, ALateComerGetsAQuestionOfItsOwn) {
  Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
  ends_.close();
  auto first = await(freshness, 0);
  ends_.wait_for_questions(0, 1);  // under way
  auto second = await(freshness, 0);
  auto third = await(freshness, 0);
  ends_.let_one_through();
  EXPECT_EQ(code(first), "fresh");
  ends_.wait_for_questions(0, 2);
  EXPECT_TRUE(pending(second));
  EXPECT_TRUE(pending(third));
  ends_.let_one_through();
  EXPECT_EQ(code(second), "fresh");
  EXPECT_EQ(code(third), "fresh");
  EXPECT_EQ(ends_.questions(0), 2);  // two shared one
}

TEST_F(FreshnessTest, PartitionsDoNotWaitForEachOther) {
  Freshness freshness(ends_, view_, {.threads = 2, .timeout = 60s}, metrics_);
  ends_.close();
  auto stuck = await(freshness, 0);
  ends_.wait_for_questions(0, 1);
  auto other = await(freshness, 1);
  ends_.wait_for_questions(1, 1);
  ends_.open();
  EXPECT_EQ(code(other), "fresh");
  EXPECT_EQ(code(stuck), "fresh");
}

TEST_F(FreshnessTest, SaysThatTheLogCanNotBeAsked) {
  Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
  ends_.set_away(true);
  auto outcome = await(freshness, 0);
  EXPECT_EQ(code(outcome), "log-unavailable");
  ends_.set_away(false);
  auto again = await(freshness, 0);
  EXPECT_EQ(code(again), "fresh");
}

TEST_F(FreshnessTest, GivesUpOnAViewThatStaysBehind) {
  Freshness freshness(ends_, view_, {.timeout = 20ms}, metrics_);
  ends_.set_end(0, 10);
  auto outcome = await(freshness, 0);
  EXPECT_EQ(code(outcome), "view-behind");
}

TEST_F(FreshnessTest, GivesUpOnALogThatNeverAnswers) {
  ends_.close();
  {
    Freshness freshness(ends_, view_, {.threads = 1, .timeout = 20ms}, metrics_);
    auto asked = await(freshness, 0);
    auto queued = await(freshness, 1);
    EXPECT_EQ(code(asked), "view-behind");
    EXPECT_EQ(code(queued), "view-behind");
    ends_.open();
  }
}

TEST_F(FreshnessTest, IsBusyPastItsLimitAndOpenAgainAfterwards) {
  Freshness freshness(ends_, view_, {.max_pending = 2, .timeout = 60s}, metrics_);
  ends_.close();
  auto first = await(freshness, 0);
  auto second = await(freshness, 0);
  auto third = await(freshness, 0);
  EXPECT_EQ(code(third), "busy");
  ends_.open();
  EXPECT_EQ(code(first), "fresh");
  EXPECT_EQ(code(second), "fresh");
  auto fourth = await(freshness, 0);
  EXPECT_EQ(code(fourth), "fresh");
}

TEST_F(FreshnessTest, AnswersEverybodyWhenItEnds) {
  Outcome outcome;
  {
    Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
    ends_.set_end(0, 10);
    outcome = await(freshness, 0);
    ends_.wait_for_questions(0, 1);
  }
  EXPECT_EQ(code(outcome), "shutting-down");
  view_.advance(Topic::kImageRequests, 0, 10);  // the view's callback comes too late, harmlessly
}

TEST_F(FreshnessTest, ManyThreadsGetOneAnswerEach) {
  Freshness freshness(ends_, view_, {.timeout = 60s}, metrics_);
  std::atomic<int> fresh{0};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 8; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          auto outcome = await(freshness, (t + i) % 4);
          if (code(outcome) == "fresh") ++fresh;
        }
      });
    }
  }
  EXPECT_EQ(fresh.load(), 8 * 200);
}

}  // namespace
}  // namespace thumb::ingest
