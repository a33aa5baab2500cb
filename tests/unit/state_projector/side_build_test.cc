// A view built beside the one that serves, over a log in memory: it takes over when it has caught
// up, is gone on with after a stop, and can be taken back.
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "state_projector/admin_client.h"
#include "state_projector/local_view_reader.h"
#include "state_projector/view_list.h"
#include "state_projector/view_queries.h"
#include "tests/unit/state_projector/side_build_fixture.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

TEST_F(SideBuildTest, TakesOverOnceItIsAtOrPastTheServingView) {
  start();
  const auto old_id = serving();
  const auto before = digest(old_id);
  gate_.shut = true;
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(wait_until([this] { return gate_.waiting > 0; }));
  // The serving view is gone on with meanwhile.
  log_.append(uploaded(image_id(9)), 0, 900);
  ASSERT_TRUE(wait_until([&] { return read_row(*view(old_id), image_id(9)).value().has_value(); }));
  EXPECT_EQ(serving(), old_id);
  EXPECT_EQ(wish(Wish::kRebuild).error().code, "build-in-progress");
  EXPECT_EQ(wish(Wish::kRollBack).error().code, "build-in-progress");

  gate_.shut = false;
  ASSERT_TRUE(serves_another_than(old_id));
  const auto new_id = serving();
  EXPECT_EQ(folder_.previous().value(), old_id);
  EXPECT_FALSE(folder_.next().value().has_value());
  stop();
  EXPECT_TRUE(read_row(*view(new_id), image_id(9)).value().has_value());
  EXPECT_EQ(digest(new_id), digest(old_id));
  EXPECT_NE(digest(new_id), before);
  EXPECT_EQ(read_positions(*view(new_id)).value(), read_positions(*view(old_id)).value());
}

TEST_F(SideBuildTest, ALongLogIsTakenInAtOnceAndComesOutTheSame) {
  start();
  const auto by_record = serving();
  stop();
  at_once_.from_records = 1;
  start();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(by_record));
  EXPECT_EQ(digest(serving()), digest(by_record));
  EXPECT_GE(projector_->progress().report().records, 13);
  log_.append(uploaded(image_id(9)), 0, 900);
  EXPECT_TRUE(
      wait_until([&] { return read_row(*view(serving()), image_id(9)).value().has_value(); }));
}

TEST_F(SideBuildTest, TheFeedBeginsWhenTheViewBeginsToServe) {
  start();
  const auto old_id = serving();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_EQ(read_last_change(*view(serving())).value(), 0U);
  log_.append(uploaded(image_id(9)), 0, 900);
  EXPECT_TRUE(wait_until([&] { return read_last_change(*view(serving())).value() == 1; }));
}

TEST_F(SideBuildTest, AHalfBuiltViewIsGoneOnWithBesideTheServingOne) {
  start();
  const auto old_id = serving();
  gate_.shut = true;
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(wait_until([this] { return gate_.waiting > 0; }));
  const auto building = folder_.next().value().value();
  stop();  // as a crash does, it leaves everything as it is
  EXPECT_EQ(serving(), old_id);

  gate_.shut = false;
  start();
  ASSERT_TRUE(serves_another_than(old_id));
  EXPECT_EQ(serving(), building);
  EXPECT_EQ(digest(building), digest(old_id));
}

TEST_F(SideBuildTest, TheNextRebuildReplacesThePreviousView) {
  start();
  const auto first = serving();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(first));
  const auto second = serving();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(second));
  EXPECT_EQ(folder_.previous().value(), second);
  EXPECT_EQ(folders(), 2U);
  ASSERT_TRUE(wish(Wish::kDiscard).has_value());
  EXPECT_EQ(folders(), 1U);
  // Their bytes go in their own time.
  EXPECT_TRUE(wait_until([this] { return entries_named("gone-") == 0; }));
}

// Reads without a pause, and remembers where the view stood.
class Onlooker {
 public:
  explicit Onlooker(const ViewFolder& folder, Log& log)
      : reader_(LocalViewOptions{.view_dir = folder.root()}, log),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) look();
        }) {}

  [[nodiscard]] bool has_read(const std::string& view_id) {
    const std::lock_guard lock(mutex_);
    return views_.contains(view_id);
  }

 private:
  void look() {
    const auto stats = reader_.stats();
    const auto row = reader_.get(image_id(7));
    ASSERT_TRUE(stats.has_value()) << stats.error().detail;
    ASSERT_TRUE(row.has_value()) << row.error().detail;
    for (const auto& [partition, before] : positions_) {
      ASSERT_GE(position_of(stats->positions, partition), before) << stats->view_id;
    }
    // All records at its end are requests of image 7: a row is as new as a position before it.
    const auto end = position_of(positions_, {Topic::kImageRequests, 1});
    ASSERT_TRUE(row->has_value());
    ASSERT_GE(static_cast<std::int64_t>((*row)->generation()), end - kOfOthers);
    positions_ = stats->positions;
    const std::lock_guard lock(mutex_);
    views_.insert(stats->view_id);
  }

  static constexpr std::int64_t kOfOthers = 4;  // records of the partition, in the fixture
  LocalViewReader reader_;
  Positions positions_;
  std::mutex mutex_;
  std::set<std::string> views_;
  std::jthread thread_;
};

TEST_F(SideBuildTest, WhoReadsAllTheTimeMeetsNoErrorAndNoStepBack) {
  start();
  Onlooker onlooker(folder_, log_sink_);
  std::set<std::string> served{serving()};
  std::int64_t number = 1;
  for (const auto task : {Wish::kRebuild, Wish::kRebuild, Wish::kRollBack, Wish::kRebuild}) {
    const auto before = serving();
    log_.append(requested(image_id(7), static_cast<int>(number++)), 1, 1'000);
    ASSERT_TRUE(wish(task).has_value());
    log_.append(requested(image_id(7), static_cast<int>(number++)), 1, 1'000);
    ASSERT_TRUE(serves_another_than(before));
    served.insert(serving());
    ASSERT_TRUE(wait_until([&] { return onlooker.has_read(serving()); }));
  }
  EXPECT_EQ(served.size(), 4U);  // one of them twice
}

TEST_F(SideBuildTest, WhatWasLeftOfAViewIsRemovedAfterAStart) {
  start();
  stop();
  const auto left = folder_.root() / ("gone-" + make_view_id());
  std::filesystem::create_directory(left);
  std::ofstream(left / "000012.sst") << "half of it";
  start();
  EXPECT_TRUE(wait_until([&] { return !std::filesystem::exists(left); }));
}

TEST_F(SideBuildTest, GoesBackToThePreviousViewCaughtUp) {
  start();
  EXPECT_EQ(wish(Wish::kRollBack).error().code, "nothing-to-go-back-to");
  const auto first = serving();
  // It comes to stand past the end that the log had when the projector started.
  log_.append(uploaded(image_id(8)), 0, 900);
  ASSERT_TRUE(wait_until([&] { return read_row(*view(first), image_id(8)).value().has_value(); }));
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(first));
  const auto second = serving();
  log_.append(uploaded(image_id(9)), 0, 900);
  ASSERT_TRUE(wait_until([&] { return read_row(*view(second), image_id(9)).value().has_value(); }));
  ASSERT_TRUE(wish(Wish::kRollBack).has_value());
  ASSERT_TRUE(serves_another_than(second));
  EXPECT_EQ(serving(), first);
  EXPECT_EQ(folder_.previous().value(), second);
  EXPECT_TRUE(read_row(*view(first), image_id(9)).value().has_value());
  // It had told changes before, and whoever remembers one of them misses none.
  EXPECT_EQ(read_last_change(*view(first)).value(), 2U);
}

// As over HTTP, but for the wire.
TEST_F(SideBuildTest, WhoAsksForOneThingIsNotToldOfTheEndOfAnother) {
  start();
  const auto first = serving();
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(serves_another_than(first));
  const std::map<std::string, Wish> wishes{
      {"/admin/rebuild", Wish::kRebuild},
      {"/admin/rebuild?from=checkpoint", Wish::kRebuildFromCheckpoint},
      {"/admin/rollback", Wish::kRollBack}};
  const AskProjector ask = [&](FetchMethod method, const std::string& path) -> Result<std::string> {
    if (method == FetchMethod::kPost) {
      if (auto granted = wish(wishes.at(path)); !granted) return Failure(granted.error());
    }
    return build_json(projector_->progress().report());
  };
  std::ostringstream shown;
  const auto asked = [&](const std::string& task) {
    return ask_for_build(ask, task, {.interval = std::chrono::milliseconds(1)}, {}, shown);
  };
  const auto second = serving();
  std::atomic<bool> refused = false;
  gate_.shut = true;
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(wait_until([this] { return gate_.waiting > 0; }));
  std::jthread opener([&] {
    EXPECT_TRUE(wait_until([&] { return refused.load(); })) << "somebody waits for another's build";
    gate_.shut = false;
  });
  EXPECT_EQ(asked("rollback").error().code, "build-in-progress");
  EXPECT_EQ(asked("restore").error().code, "build-in-progress");
  EXPECT_EQ(serving(), second);
  refused = true;
  EXPECT_TRUE(asked("rebuild").has_value());
  EXPECT_NE(shown.str().find("under way already"), std::string::npos);
  EXPECT_NE(serving(), second);
  EXPECT_TRUE(asked("rollback").has_value());
  EXPECT_EQ(serving(), second);
}

TEST_F(SideBuildTest, AFailedBuildLeavesTheServingViewAsItWas) {
  start();
  const auto id = serving();
  gate_.broken = true;
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  ASSERT_TRUE(wait_until(
      [this] { return projector_->progress().report().state == BuildReport::State::kFailed; }));
  EXPECT_NE(projector_->progress().report().problem.find("broken"), std::string::npos);
  EXPECT_EQ(serving(), id);
  log_.append(uploaded(image_id(9)), 0, 900);
  EXPECT_TRUE(wait_until([&] { return read_row(*view(id), image_id(9)).value().has_value(); }));
  gate_.broken = false;
  ASSERT_TRUE(wish(Wish::kRebuild).has_value());
  EXPECT_TRUE(serves_another_than(id));
}

// It would be at the same positions, and poorer.
TEST_F(SideBuildTest, ALogThatLostItsBeginningReplacesNoView) {
  for (const bool at_once : {false, true}) {
    at_once_.from_records = at_once ? 1 : 50'000;
    start();
    const auto id = serving();
    log_.set_low(Topic::kImageRequests, 1, 2);
    const auto asked = wish(Wish::kRebuild);
    ASSERT_TRUE(asked.has_value()) << asked.error().message;
    ASSERT_TRUE(wait_until(
        [this] { return projector_->progress().report().state == BuildReport::State::kFailed; }));
    const auto problem = projector_->progress().report().problem;
    EXPECT_NE(problem.find("log-truncated: image-requests/1 begins at offset 2"), std::string::npos)
        << problem;
    EXPECT_EQ(serving(), id);
    EXPECT_FALSE(folder_.next().value().has_value());
    log_.set_low(Topic::kImageRequests, 1, 0);
    stop();
  }
}

TEST_F(SideBuildTest, ReadersFollowTheSwapWithoutAnError) {
  start();
  LocalViewReader reader({.view_dir = folder_.root()}, log_sink_);
  std::atomic<bool> over = false;
  std::atomic<int> failures = 0;
  std::atomic<int> reads = 0;
  std::jthread load([&] {
    while (!over) {
      const auto row = reader.get(image_id(1));
      if (!row || !*row) ++failures;
      if (!reader.list({.limit = 10})) ++failures;
      ++reads;
    }
  });
  for (int round = 0; round < 5; ++round) {
    const auto id = serving();
    ASSERT_TRUE(wish(Wish::kRebuild).has_value());
    ASSERT_TRUE(serves_another_than(id));
    const int before = reads;
    ASSERT_TRUE(wait_until([&] { return reader.stats().value().view_id == serving(); }));
    ASSERT_TRUE(wait_until([&] { return reads > before + 10; }));
  }
  over = true;
  load.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace thumb::testing
