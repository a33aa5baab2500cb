// A view that is built at once holds the same bytes as one that was folded record by record,
// whatever the log, the threads and the memory; and nothing at all until it is whole.
#include "state_projector/bulk_build.h"

#include <gtest/gtest.h>

#include <atomic>

#include "state_projector/build_progress.h"
#include "state_projector/bulk_start.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_queries.h"
#include "state_projector/view_writer.h"
#include "tests/support/fake_log.h"
#include "tests/support/memory_store.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"
#include "tests/support/record_views.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

constexpr std::int32_t kPartitions = 3;

// Random events of several images, each image on its partition; control records and garbage too.
void fill(FakeLog& log, int images) {
  const auto count = *rc::gen::inRange(0, 60);
  for (int i = 0; i < count; ++i) {
    const auto event = *any_event(images);
    const auto partition = image_id_of(event).bytes.back() % kPartitions;
    log.append(event, partition, 1'700'000'000'000 + *rc::gen::inRange<std::int64_t>(0, 50));
    if (*rc::gen::inRange(0, 20) == 0) log.append_control(topic_of(event), partition);
    if (*rc::gen::inRange(0, 20) == 0) log.append_garbage(topic_of(event), partition);
  }
}

class Builder {
 public:
  explicit Builder(FakeLog& log)
      : log_(log), cluster_(ask_cluster(log, log.names(), std::chrono::seconds(1)).value()) {}

  [[nodiscard]] const ClusterState& cluster() const { return cluster_; }
  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_.path(); }

  // What a reader does before each poll.
  std::function<void()> on_poll = [] {};
  BulkOptions options{.memory_bytes = std::size_t{64} << 20U,
                      .threads = 2,
                      .replay = {.batch_records = 7,
                                 .poll_wait = std::chrono::milliseconds(1),
                                 .patience = std::chrono::milliseconds(5'000)}};
  std::stop_source stop;

  Result<void> at_once(const Positions& target, KeyValueStore& store, const TellBuilt& tell = {}) {
    const auto open_reader = [this]() -> Result<std::unique_ptr<kafka::PartitionReader>> {
      auto reader = std::make_unique<FakePartitionReader>(log_);
      reader->on_poll = on_poll;
      return reader;
    };
    return bulk_build(target, {cluster_, log_.names(), open_reader}, store, scratch(), options,
                      stop.get_token(), tell);
  }

  void by_record(const Positions& target, KeyValueStore& store) {
    FakePartitionReader reader(log_);
    auto writer = ViewWriter::open(store, log_.names()).value();
    ASSERT_TRUE(replay_until(target, cluster_, log_.names(), reader, *writer, options.replay,
                             stop.get_token()));
  }

 private:
  FakeLog& log_;
  const ClusterState cluster_;
  TempDir scratch_;
};

// A tombstone may take what it erases from the history only if both are in one partition, as they
// are by key.
TEST(BulkBuild, GivesTheSameBytesAsFoldingRecordByRecord) {
  check_property(
      [] {
        FakeLog log(kPartitions);
        fill(log, 6);
        Builder builder(log);
        builder.options.threads = *rc::gen::inRange<std::size_t>(1, 5);
        // The least of these holds no entry: each is put aside alone.
        builder.options.memory_bytes = *rc::gen::element<std::size_t>(1, 3U << 20U, 64U << 20U);
        auto target = ends_of(builder.cluster());
        for (auto& [partition, end] : target) {
          if (*rc::gen::inRange(0, 3) == 0) end = *rc::gen::inRange<std::int64_t>(0, end + 1);
        }
        MemoryStore whole;
        MemoryStore slow;
        RC_ASSERT(builder.at_once(target, whole).has_value());
        builder.by_record(target, slow);
        RC_ASSERT(whole.entries == slow.entries);
        RC_ASSERT(read_positions(whole).value() == read_positions(slow).value());
      },
      300);
}

TEST(BulkBuild, JoinsAnImageThatAForeignPartitionerScattered) {
  FakeLog log(kPartitions);
  log.append(uploaded(image_id(1)), 0, 100);
  log.append(completed(image_id(1)), 1, 200);
  log.append(requested(image_id(1), 2), 2, 300);
  Builder builder(log);
  builder.options.threads = 3;
  MemoryStore whole;
  MemoryStore slow;
  ASSERT_TRUE(builder.at_once(ends_of(builder.cluster()), whole));
  builder.by_record(ends_of(builder.cluster()), slow);
  EXPECT_EQ(whole.entries, slow.entries);
}

void fill_much(FakeLog& log, int images) {
  for (int i = 0; i < images; ++i) {
    auto id = image_id(i);
    id.bytes[5] = static_cast<std::uint8_t>(i % 251);
    id.bytes[7] = static_cast<std::uint8_t>(i / 251);
    log.append(named(id, "a name.jpg"), i % kPartitions, 50 + i);
    log.append(uploaded(id), i % kPartitions, 100 + i);
    log.append(completed(id), i % kPartitions, 200 + i);
  }
}

// Through table files, and with pages of what was put aside.
TEST(BulkBuild, FillsADatabaseInLittleMemoryAndItIsGoneOnWith) {
  FakeLog log(kPartitions);
  fill_much(log, 4'000);
  Builder builder(log);
  builder.options.memory_bytes = std::size_t{3} << 20U;
  const TempDir folder;
  auto store = RocksStore::open(folder.path() / "view").value();
  ASSERT_TRUE(store->write(encode_meta({kRowVersion, "cluster-a", "view", kPartitions})));
  std::size_t told = 0;
  Positions last;
  ASSERT_TRUE(builder.at_once(ends_of(builder.cluster()), *store,
                              [&](const Positions& positions, std::size_t records) {
                                told += records;
                                last = positions;
                              }));
  EXPECT_EQ(told, 12'000U);
  std::erase_if(last, [](const auto& position) { return position.second == 0; });
  EXPECT_EQ(last, read_positions(*store).value());

  MemoryStore slow;
  ASSERT_TRUE(slow.write(encode_meta({kRowVersion, "cluster-a", "view", kPartitions})));
  builder.by_record(ends_of(builder.cluster()), slow);
  EXPECT_EQ(digest_of(*store).value().sha256, digest_of(slow).value().sha256);
  store.reset();
  store = RocksStore::open(folder.path() / "view").value();
  EXPECT_EQ(read_meta(*store).value().view_id, "view");
  auto writer = ViewWriter::open(*store, log.names()).value();
  const auto place = log.append(about<ImageDeleted>(image_id(0), 9), 0, 9'000);
  const std::vector more{
      to_record({about<ImageDeleted>(image_id(0), 9), {place, time_from_ms(9'000)}}, log.names())};
  ASSERT_TRUE(writer->apply(views_of(more), {}));
  EXPECT_EQ(read_counts(*store).value().at(ImageState::kDeleted), 1);
  EXPECT_TRUE(read_history(*store, image_id(0)).value().empty());
  EXPECT_TRUE(std::filesystem::is_empty(builder.scratch()));
}

// A stop stands for every other end in the middle: nothing is in the view before the last step.
TEST(BulkBuild, LeavesAnEmptyViewWhenItIsCutShort) {
  FakeLog log(kPartitions);
  fill_much(log, 300);
  Builder builder(log);
  const TempDir folder;
  auto store = RocksStore::open(folder.path() / "view").value();
  const auto meta = encode_meta({kRowVersion, "cluster-a", "view", kPartitions});
  ASSERT_TRUE(store->write(meta));
  std::atomic<int> polls{0};
  builder.on_poll = [&] {
    if (++polls == 10) builder.stop.request_stop();
  };
  const auto built = builder.at_once(ends_of(builder.cluster()), *store);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, "stopped");
  std::size_t keys = 0;
  ASSERT_TRUE(store->scan("", "", [&](std::string_view, std::string_view) { return ++keys > 0; }));
  EXPECT_EQ(keys, meta.size());
}

TEST(BulkBuild, HeedsAStopAlsoWhenAllIsRead) {
  FakeLog log(kPartitions);
  fill_much(log, 300);
  Builder builder(log);
  builder.options.threads = 1;
  MemoryStore store;
  std::size_t told = 0;
  const auto built = builder.at_once(ends_of(builder.cluster()), store,
                                     [&](const Positions&, std::size_t records) {
                                       told += records;
                                       if (told == 900) builder.stop.request_stop();
                                     });
  ASSERT_FALSE(built);
  EXPECT_EQ(told, 900U);
  EXPECT_EQ(built.error().code, "stopped");
  EXPECT_TRUE(store.entries.empty());
}

TEST(BulkBuild, LeavesAnEmptyViewWhenTheDiskIsFull) {
  FakeLog log(kPartitions);
  fill_much(log, 30);
  Builder builder(log);
  MemoryStore store;
  store.full = true;
  EXPECT_EQ(builder.at_once(ends_of(builder.cluster()), store).error().code, "view-unavailable");
  EXPECT_TRUE(store.entries.empty());
}

TEST(BulkBuild, RefusesATargetPastTheLog) {
  FakeLog log(kPartitions);
  log.append(uploaded(image_id(1)), 0, 100);
  Builder builder(log);
  MemoryStore store;
  const auto built = builder.at_once({{{Topic::kImageRequests, 0}, 2}}, store);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, "position-beyond-log");
}

class StartAtOnce : public ::testing::Test {
 protected:
  StartAtOnce() {
    fill_much(log_, 100);
    std::filesystem::create_directories(folder_.root());
    view_ = ViewOpener(folder_, log_.names(), RocksStore::open, log_sink_).make(cluster()).value();
  }

  [[nodiscard]] ClusterState cluster() {
    return ask_cluster(log_, log_.names(), std::chrono::seconds(1)).value();
  }
  void start(std::int64_t from_records) {
    const auto state = cluster();
    const auto open_reader = [this]() -> Result<std::unique_ptr<kafka::PartitionReader>> {
      return std::make_unique<FakePartitionReader>(log_);
    };
    progress_.begin(view_.id, {});
    ASSERT_TRUE(start_at_once(view_, {state, log_.names(), open_reader}, folder_.root(),
                              {.from_records = from_records, .bulk = {}}, stop_.get_token(),
                              [this](const Positions& positions, std::size_t records) {
                                progress_.moved(positions, records);
                              }));
  }

  FakeLog log_{kPartitions};
  TempDir directory_;
  ViewFolder folder_{directory_.path() / "view"};
  Log log_sink_{"test", LogLevel::kError};
  OpenView view_;
  BuildProgress progress_;
  std::stop_source stop_;
};

TEST_F(StartAtOnce, FillsAnEmptyViewToTheEndAndItsWriterGoesOn) {
  start(300);
  EXPECT_EQ(view_.writer->positions(), read_positions(*view_.store).value());
  EXPECT_EQ(read_counts(*view_.store).value().at(ImageState::kCompleted), 100);
  EXPECT_EQ(progress_.report().records, 300);
  const auto place = log_.append(about<ImageDeleted>(image_id(0), 9), 0, 9'000);
  const PlacedEvent deletion{about<ImageDeleted>(image_id(0), 9), {place, time_from_ms(9'000)}};
  const std::vector more{to_record(deletion, log_.names())};
  ASSERT_TRUE(view_.writer->apply(views_of(more), {}));
  EXPECT_EQ(read_counts(*view_.store).value().at(ImageState::kDeleted), 1);
}

TEST_F(StartAtOnce, LeavesAShortLogAndAViewThatHasBegunToTheOtherWay) {
  start(301);
  EXPECT_TRUE(view_.writer->positions().empty());
  ASSERT_TRUE(view_.writer->apply({}, {{{Topic::kImageRequests, 0}, 1}}));
  start(1);
  EXPECT_EQ(view_.writer->positions().size(), 1U);
  EXPECT_TRUE(read_counts(*view_.store).value().empty());
}

TEST(BulkBuild, AnEmptyLogGivesAnEmptyView) {
  FakeLog log(kPartitions);
  Builder builder(log);
  const TempDir folder;
  auto store = RocksStore::open(folder.path() / "view").value();
  ASSERT_TRUE(builder.at_once(ends_of(builder.cluster()), *store));
  EXPECT_TRUE(read_positions(*store).value().empty());
}

}  // namespace
}  // namespace thumb::testing
