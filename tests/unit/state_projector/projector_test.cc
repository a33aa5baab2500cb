// The runner over a log in memory and real views on disk: which view it goes on with, when a new
// one serves, what it refuses.
#include "state_projector/projector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_queries.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/fake_log.h"
#include "tests/support/memory_store.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"
#include "tests/support/record_views.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

class ProjectorTest : public ::testing::Test {
 protected:
  // Runs until there is nothing left to read, then stops.
  Result<void> run() {
    reader_.on_idle = [this] { stop_.request_stop(); };
    return run_until_stopped();
  }
  void must_run() {
    const auto ended = run();
    ASSERT_TRUE(ended.has_value()) << ended.error().message << ": " << ended.error().detail;
  }
  Result<void> run_until_stopped() {
    stop_ = std::stop_source();
    Metrics metrics;
    Projector projector(options_, {log_.names(), log_, reader_, lag_reader_,
                                   [this] {
                                     ++readers_opened_;
                                     return std::make_unique<FakePartitionReader>(log_);
                                   },
                                   RocksStore::open, checkpoints_, log_sink_, metrics});
    projector_ = &projector;
    auto ended = projector.run(stop_.get_token());
    ready_at_end_ = projector.ready();
    projector_ = nullptr;
    return ended;
  }

  std::shared_ptr<RocksFollower> view() {
    return RocksFollower::open(folder_.path_of(folder_.current().value().value())).value();
  }
  std::string serving() { return folder_.current().value().value_or(""); }
  std::string digest() { return digest_of(*view()).value().sha256; }
  std::optional<ImageRow> row(int image) { return read_row(*view(), image_id(image)).value(); }
  std::size_t folders() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.root())) {
      if (entry.path().filename().string().starts_with("v-")) ++count;
    }
    return count;
  }

  void fill() {
    for (int i = 0; i < 8; ++i) log_.append(uploaded(image_id(i)), i % 2, 100 + i);
    for (int i = 0; i < 4; ++i) log_.append(completed(image_id(i)), i % 2, 200 + i);
    for (const std::int32_t p : {0, 1}) log_.append_control(Topic::kThumbnailCompleted, p);
    log_.append(failed(image_id(4)), 0, 300);
    log_.append(about<ImageDeleted>(image_id(5), 1), 1, 400);
    log_.append(named(image_id(6), "a.jpg"), 0, 100);
  }

  TempDir directory_;
  ViewFolder folder_{directory_.path() / "view"};
  FakeLog log_{2};
  FakePartitionReader reader_{log_};
  FakePartitionReader lag_reader_{log_};
  Log log_sink_{"test", LogLevel::kError};
  FakeBlobStore blobs_;
  CheckpointStore checkpoints_{blobs_, blobs_, log_sink_};
  ProjectorOptions options_{.view_dir = folder_.root(),
                            .poll_wait = std::chrono::milliseconds(1),
                            .retry_pause = std::chrono::milliseconds(1)};
  std::stop_source stop_;
  std::atomic<Projector*> projector_ = nullptr;
  bool ready_at_end_ = false;
  std::atomic<int> readers_opened_ = 0;

  void SetUp() override { std::filesystem::create_directories(folder_.root()); }
};

TEST_F(ProjectorTest, FoldsTheLogAndPassesControlRecords) {
  fill();
  must_run();
  EXPECT_TRUE(ready_at_end_);
  EXPECT_EQ(row(0)->state(), ImageState::kCompleted);
  EXPECT_EQ(row(4)->state(), ImageState::kFailed);
  EXPECT_EQ(row(5)->state(), ImageState::kDeleted);
  EXPECT_EQ(row(6)->personal->filename, "a.jpg");
  const auto positions = read_positions(*view()).value();
  EXPECT_EQ(positions.at({Topic::kImageRequests, 1}), 5);
  EXPECT_EQ(positions.at({Topic::kThumbnailCompleted, 0}), 3);  // two records, one control
  const auto counts = read_counts(*view()).value();
  EXPECT_EQ(counts, (StateCounts{{ImageState::kAccepted, 2},
                                 {ImageState::kFailed, 1},
                                 {ImageState::kCompleted, 4},
                                 {ImageState::kDeleted, 1}}));
}

TEST_F(ProjectorTest, AnEmptyLogIsServedAtOnce) {
  must_run();
  EXPECT_TRUE(ready_at_end_);
  EXPECT_EQ(read_counts(*view()).value(), StateCounts{});
}

TEST_F(ProjectorTest, GoesOnFromItsPositionsWithTheSameView) {
  fill();
  must_run();
  const auto id = serving();
  log_.append(uploaded(image_id(9)), 1, 900);
  must_run();
  EXPECT_EQ(serving(), id);
  EXPECT_TRUE(row(9).has_value());
  EXPECT_EQ(folders(), 1U);
}

TEST_F(ProjectorTest, AViewThatWasDeletedComesOutTheSame) {
  fill();
  must_run();
  const auto before = digest();
  std::filesystem::remove_all(folder_.root());
  std::filesystem::create_directories(folder_.root());
  reader_.max_batch = 1;
  must_run();
  EXPECT_EQ(digest(), before);
}

TEST_F(ProjectorTest, AViewOfALongLogIsBuiltAtOnceAndComesOutTheSame) {
  fill();
  must_run();
  const auto before = digest();
  EXPECT_EQ(readers_opened_, 0);
  std::filesystem::remove_all(folder_.root());
  std::filesystem::create_directories(folder_.root());
  options_.at_once.from_records = 1;
  must_run();
  EXPECT_GT(readers_opened_, 0);
  EXPECT_TRUE(ready_at_end_);
  EXPECT_EQ(digest(), before);
  log_.append(uploaded(image_id(9)), 1, 900);
  must_run();
  EXPECT_TRUE(row(9).has_value());
}

TEST_F(ProjectorTest, UnreadableRecordsAreKeptWithTheirPlaceAndSkipped) {
  log_.append(uploaded(image_id(1)), 0, 100);
  log_.append_garbage(Topic::kImageRequests, 0);
  log_.append_garbage(Topic::kThumbnailFailed, 1);
  log_.append(uploaded(image_id(2)), 0, 100);
  must_run();
  EXPECT_TRUE(row(2).has_value());
  EXPECT_EQ(read_unreadable_count(*view()).value(), 2);
  const auto records = read_unreadable(*view(), 10).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].partition, (ViewPartition{Topic::kImageRequests, 0}));
  EXPECT_EQ(records[0].offset, 1);
  EXPECT_NE(records[0].reason.find("not-a-cloudevent"), std::string::npos);
  must_run();
  EXPECT_EQ(read_unreadable_count(*view()).value(), 2);
}

TEST_F(ProjectorTest, AnEventOnATopicOfOthersIsUnreadable) {
  const auto record = to_record({uploaded(image_id(1)), at(0, 100)}, log_.names());
  auto misplaced = record;
  misplaced.topic = log_.names().of(Topic::kThumbnailFailed);
  auto store = RocksStore::open(directory_.path() / "other").value();
  auto writer = ViewWriter::open(*store, log_.names()).value();
  const std::vector<InRecord> records{misplaced};
  EXPECT_EQ(writer->apply(views_of(records), {}).value().unreadable, 1U);
  EXPECT_FALSE(read_row(*store, image_id(1)).value().has_value());
}

TEST_F(ProjectorTest, AnotherClusterGetsAnotherViewAndTheOldServesUntilItIsCaughtUp) {
  fill();
  must_run();
  const auto old_id = serving();
  log_.clear();
  log_.set_cluster_id("cluster-b");
  for (int i = 0; i < 6; ++i) log_.append(uploaded(image_id(i)), 0, 100);
  reader_.max_batch = 1;
  bool old_served_while_building = false;
  reader_.on_poll = [&] {
    if (!projector_.load()->ready()) old_served_while_building = serving() == old_id;
  };
  must_run();
  EXPECT_TRUE(old_served_while_building);
  EXPECT_NE(serving(), old_id);
  EXPECT_EQ(folder_.previous().value(), old_id);
  EXPECT_EQ(folders(), 2U);
  EXPECT_EQ(read_meta(*view()).value().cluster_id, "cluster-b");
  EXPECT_EQ(row(0)->state(), ImageState::kAccepted);
  EXPECT_FALSE(row(7).has_value());
}

TEST_F(ProjectorTest, AHalfBuiltViewIsGoneOnWith) {
  for (int i = 0; i < 8; ++i) log_.append(uploaded(image_id(i)), 0, 100);
  reader_.max_batch = 1;
  int polls = 0;
  reader_.on_poll = [&] {
    if (++polls == 4) stop_.request_stop();
  };
  ASSERT_TRUE(run_until_stopped().has_value());
  EXPECT_FALSE(ready_at_end_);
  EXPECT_EQ(serving(), "");
  const auto building = folder_.next().value().value();
  reader_.on_poll = [] {};
  must_run();
  EXPECT_EQ(serving(), building);
  EXPECT_FALSE(folder_.next().value().has_value());
  EXPECT_EQ(read_counts(*view()).value(), (StateCounts{{ImageState::kAccepted, 8}}));
}

// Or the next start would read the whole log.
TEST_F(ProjectorTest, AStopWhileACheckpointIsRestoredLeavesItToTheNextStart) {
  fill();
  must_run();
  ASSERT_TRUE(
      checkpoint_serving_view(checkpoints_, folder_, RocksStore::open, {}, log_sink_).has_value());
  std::filesystem::remove_all(folder_.root());
  std::filesystem::create_directories(folder_.root());
  log_.set_low(Topic::kImageRequests, 1, 3);  // the log alone no longer gives the whole view
  blobs_.on_open = [this] { stop_.request_stop(); };
  ASSERT_TRUE(run_until_stopped().has_value());
  EXPECT_EQ(folders(), 0U);
  blobs_.on_open = [] {};
  must_run();
  EXPECT_TRUE(row(1).has_value());
}

TEST_F(ProjectorTest, APositionBeyondTheLogBuildsAnew) {
  fill();
  must_run();
  const auto old_id = serving();
  log_.clear();
  log_.append(uploaded(image_id(3)), 0, 700);
  must_run();
  EXPECT_NE(serving(), old_id);
  EXPECT_EQ(read_counts(*view()).value(), (StateCounts{{ImageState::kAccepted, 1}}));
}

TEST_F(ProjectorTest, ALogThatShrinksUnderItBuildsAnewWhileRunning) {
  fill();
  bool shrunk = false;
  std::string old_id;
  reader_.on_idle = [&] {
    if (shrunk) return stop_.request_stop(), void();
    shrunk = true;
    old_id = serving();
    log_.clear();
    log_.append(uploaded(image_id(3)), 0, 700);
  };
  ASSERT_TRUE(run_until_stopped().has_value());
  EXPECT_NE(serving(), old_id);
  EXPECT_EQ(read_counts(*view()).value(), (StateCounts{{ImageState::kAccepted, 1}}));
}

TEST_F(ProjectorTest, ADamagedViewIsBuiltAnew) {
  fill();
  must_run();
  const auto before = digest();
  const auto old_id = serving();
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path_of(old_id))) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::resize_file(entry.path(), 3);
    }
  }
  must_run();
  EXPECT_NE(serving(), old_id);
  EXPECT_EQ(digest(), before);
}

TEST_F(ProjectorTest, RefusesAnotherNumberOfPartitions) {
  fill();
  must_run();
  log_.set_partitions(3);
  const auto refused = run();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "partition-count-changed");
}

TEST_F(ProjectorTest, RefusesALogWhoseRecordsAreGoneButForHints) {
  fill();
  must_run();
  log_.append(about<ThumbnailStarted>(image_id(1), 0), 0, 500);
  log_.set_low(Topic::kThumbnailStarted, 0, 1);
  must_run();  // hints are kept for days
  for (int i = 0; i < 3; ++i) log_.append(uploaded(image_id(7)), 0, 500);
  log_.set_low(Topic::kImageRequests, 0, 6);
  const auto refused = run();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "log-truncated");
}

TEST_F(ProjectorTest, WaitsForABrokerThatIsAwayAndStopsWhileWaiting) {
  log_.set_away(true);
  std::thread stopper([this] {
    ASSERT_TRUE(wait_until([this] { return projector_ != nullptr; }));
    stop_.request_stop();
  });
  EXPECT_TRUE(run_until_stopped().has_value());
  stopper.join();
  EXPECT_FALSE(ready_at_end_);
}

TEST_F(ProjectorTest, AnyInterleavingAndBatchingGivesTheSameDigest) {
  check_property([] {
    const auto events = *any_log(4, 1);
    std::set<std::string> digests;
    for (int round = 0; round < 2; ++round) {
      // Each topic in order, the topics and the batches at random, some batches told twice.
      std::map<Topic, std::vector<PlacedEvent>> left;
      for (const auto& placed : events) left[topic_of(placed.event)].push_back(placed);
      MemoryStore store;
      RC_ASSERT(store.write(encode_meta({kRowVersion, "cluster", "view", 1})).has_value());
      const TopicNames names;
      auto writer = ViewWriter::open(store, names).value();
      while (!left.empty()) {
        auto at = left.begin();
        std::advance(at, *rc::gen::inRange<std::size_t>(0, left.size()));
        const auto size = *rc::gen::inRange<std::size_t>(1, at->second.size() + 1);
        std::vector<InRecord> batch;
        for (std::size_t i = 0; i < size; ++i) batch.push_back(to_record(at->second[i], names));
        at->second.erase(at->second.begin(),
                         at->second.begin() + static_cast<std::ptrdiff_t>(size));
        if (at->second.empty()) left.erase(at);
        RC_ASSERT(writer->apply(views_of(batch), {}).has_value());
        if (*rc::gen::arbitrary<bool>()) {
          RC_ASSERT(writer->apply(views_of(batch), {}).value().skipped == batch.size());
        }
      }
      digests.insert(digest_of(store).value().sha256);
      StateCounts recount;
      RC_ASSERT(for_each_row(store, [&](const ImageRow& row) {
                  if (row.visible()) ++recount[row.state()];
                  return true;
                }).has_value());
      RC_ASSERT(read_counts(store).value() == recount);
    }
    RC_ASSERT(digests.size() == 1U);
  });
}

TEST_F(ProjectorTest, AFailedWriteChangesNothingAndMayBeRepeated) {
  MemoryStore store;
  auto writer = ViewWriter::open(store, log_.names()).value();
  const std::vector<InRecord> records{to_record({uploaded(image_id(1)), at(0, 100)}, log_.names())};
  store.full = true;
  EXPECT_FALSE(writer->apply(views_of(records), {}).has_value());
  EXPECT_TRUE(writer->positions().empty());
  store.full = false;
  EXPECT_EQ(writer->apply(views_of(records), {}).value().folded.at(Topic::kImageRequests), 1U);
  EXPECT_EQ(read_counts(store).value(), (StateCounts{{ImageState::kAccepted, 1}}));
  EXPECT_EQ(store.writes, 1U);
}

}  // namespace
}  // namespace thumb::testing
