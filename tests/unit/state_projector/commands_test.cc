// The operator's commands over a log in memory: verify finds what was tampered with, rebuild swaps
// only what is the same.
#include "state_projector/commands.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "platform/text.h"
#include "state_projector/projector.h"
#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/stoppable_reader.h"
#include "state_projector/verify.h"
#include "state_projector/view_compare.h"
#include "state_projector/view_digest.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"
#include "tests/support/fake_blob_store.h"
#include "tests/support/fake_log.h"
#include "tests/support/placed_events.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

using namespace placed;  // NOLINT(google-build-using-namespace)

class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) log_.append(uploaded(image_id(i)), i % 2, 100 + i);
    for (int i = 0; i < 3; ++i) log_.append(completed(image_id(i)), i % 2, 200 + i);
    log_.append_control(Topic::kThumbnailCompleted, 0);
    log_.append(about<ImageDeleted>(image_id(4), 1), 0, 300);
    log_.append(named(image_id(3), "\"x\".jpg"), 1, 100);
    log_.append_garbage(Topic::kImageRequests, 1);
    project();
  }

  void project() {
    const auto lock = folder_.lock();
    ASSERT_TRUE(lock.has_value());
    std::stop_source stop;
    reader_.on_idle = [&stop] { stop.request_stop(); };
    Metrics metrics;
    Projector projector({.view_dir = folder_.root()},
                        {log_.names(), log_, reader_, lag_reader_,
                         [this] { return std::make_unique<FakePartitionReader>(log_); },
                         RocksStore::open, checkpoints_, log_sink_, metrics});
    ASSERT_TRUE(projector.run(stop.get_token()).has_value());
    reader_.on_idle = [] {};
  }

  std::string serving() { return folder_.current().value().value(); }
  void write(const KeyChange& change) {
    auto store = RocksStore::open(folder_.path_of(serving())).value();
    ASSERT_TRUE(store->write({&change, 1}).has_value());
  }
  std::shared_ptr<const KeyValueReader> view() {
    return open_serving_view(folder_, openers_).value();
  }
  Result<void> run_verify() {
    return verify(*view(), folder_, openers_, source_, stop_.get_token(), out_);
  }
  Result<void> run_rebuild(bool force = false) {
    return rebuild(folder_, openers_, source_, force, stop_.get_token(), out_);
  }
  // The last two lines: name and digest each.
  std::vector<std::pair<std::string, std::string>> last_two() {
    std::vector<std::pair<std::string, std::string>> found;
    std::istringstream lines(out_.str());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      std::string digest;
      words >> name >> digest;
      if (digest.size() != 64 || !from_hex(digest) || !words.eof()) {
        found.clear();
      } else {
        found.emplace_back(name, digest);
      }
    }
    return found;
  }
  std::size_t entries() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_.root()), {}));
  }

  TempDir directory_;
  ViewFolder folder_{directory_.path() / "view"};
  FakeLog log_{2};
  FakePartitionReader reader_{log_};
  FakePartitionReader lag_reader_{log_};
  Log log_sink_{"test", LogLevel::kError};
  FakeBlobStore blobs_;
  CheckpointStore checkpoints_{blobs_, blobs_, log_sink_};
  ViewOpeners openers_{
      [](const std::filesystem::path& folder) {
        return RocksFollower::open(folder).map([](const std::shared_ptr<RocksFollower>& follower) {
          return std::shared_ptr<const KeyValueReader>(follower);
        });
      },
      RocksStore::open};
  LogSource source_{log_,
                    [this] { return std::make_unique<FakePartitionReader>(log_); },
                    log_.names(),
                    std::chrono::milliseconds(1'000),
                    {.replay = {.poll_wait = std::chrono::milliseconds(1),
                                .patience = std::chrono::milliseconds(5'000)}}};
  std::stop_source stop_;
  std::ostringstream out_;
};

TEST_F(CommandsTest, DumpPrintsEveryRowByIdAsJson) {
  ASSERT_TRUE(dump(*view(), out_).has_value());
  std::istringstream lines(out_.str());
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 6U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(rows[static_cast<std::size_t>(i)]["id"], image_id(i).str());
  }
  EXPECT_EQ(rows[0]["state"], "completed");
  EXPECT_EQ(rows[0]["requests"][0]["completed"]["variants"][0]["blob"]["sha256"],
            std::string(64, 'c'));
  EXPECT_EQ(rows[3]["private"]["filename"], "\"x\".jpg");
  EXPECT_EQ(rows[4]["state"], "deleted");
  EXPECT_FALSE(rows[4].contains("upload"));
}

TEST_F(CommandsTest, StatusTellsPositionsCountersAndUnreadableRecords) {
  ASSERT_TRUE(status(*view(), true, out_).has_value());
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["view_id"], serving());
  EXPECT_EQ(json["images"]["completed"], 3);
  EXPECT_EQ(json["images"]["deleted"], 1);
  EXPECT_EQ(json["positions"]["image-requests"]["1"], 4);
  EXPECT_EQ(json["unreadable_records"], 1);
  EXPECT_EQ(json["unreadable"][0]["offset"], 3);
  std::ostringstream text;
  ASSERT_TRUE(status(*view(), false, text).has_value());
  EXPECT_NE(text.str().find("unreadable records: 1"), std::string::npos);
}

TEST_F(CommandsTest, VerifyAgreesWithAnHonestView) {
  const auto before = entries();
  ASSERT_TRUE(run_verify().has_value());
  ASSERT_EQ(last_two().size(), 2U);
  EXPECT_EQ(last_two()[0].second, last_two()[1].second);
  EXPECT_EQ(entries(), before);  // no scratch left
}

TEST_F(CommandsTest, VerifyComparesAtTheViewsPositionsNotAtTheEnd) {
  log_.append(uploaded(image_id(9)), 0, 900);
  log_.append(about<ImageDeleted>(image_id(0), 1), 0, 900);
  EXPECT_TRUE(run_verify().has_value());
}

TEST_F(CommandsTest, VerifyNamesARowThatWasTamperedWith) {
  auto row = read_row(*view(), image_id(2)).value().value();
  row.upload->size.width += 1;
  write({view_keys::row(image_id(2)), encode_row(row)});
  const auto differs = run_verify();
  ASSERT_FALSE(differs.has_value());
  EXPECT_EQ(differs.error().code, "view-differs");
  EXPECT_NE(differs.error().message.find(image_id(2).str()), std::string::npos);
  EXPECT_EQ(differs.error().message.find(image_id(1).str()), std::string::npos);
  EXPECT_NE(last_two()[0].second, last_two()[1].second);
}

TEST_F(CommandsTest, VerifyNamesARowThatIsMissing) {
  write({view_keys::row(image_id(5)), std::nullopt});
  const auto differs = run_verify();
  ASSERT_FALSE(differs.has_value());
  EXPECT_NE(differs.error().message.find(image_id(5).str()), std::string::npos);
}

TEST_F(CommandsTest, VerifyNamesRowsThatCannotBeRead) {
  auto bytes = encode_row(read_row(*view(), image_id(2)).value().value());
  bytes.pop_back();
  write({view_keys::row(image_id(2)), bytes});
  write({view_keys::row(image_id(5)), std::string("\xff\xff")});
  const auto differs = run_verify();
  ASSERT_FALSE(differs.has_value());
  EXPECT_EQ(differs.error().code, "view-differs");
  for (const int i : {2, 5}) {
    EXPECT_NE(differs.error().message.find("row " + image_id(i).str()), std::string::npos);
  }
  EXPECT_NE(out_.str().find(R"("view":"the stored row is damaged","replay":{)"), std::string::npos);
  EXPECT_NE(out_.str().find(R"("view":"the row is of another version","replay":{)"),
            std::string::npos);
  EXPECT_NE(out_.str().find("\nview   none: "), std::string::npos);
}

TEST_F(CommandsTest, ADamagedViewIsReplacedByForce) {
  const auto damaged = serving();
  write({view_keys::row(image_id(5)), std::string("\xff\xff")});
  EXPECT_EQ(run_rebuild().error().code, "view-differs");
  EXPECT_EQ(serving(), damaged);
  EXPECT_TRUE(run_rebuild(true).has_value());
  EXPECT_NE(serving(), damaged);
  EXPECT_TRUE(run_verify().has_value());
}

TEST_F(CommandsTest, VerifyRefusesALogThatIsNotTheViews) {
  log_.set_cluster_id("cluster-b");
  EXPECT_EQ(run_verify().error().code, "view-of-another-log");
  log_.set_cluster_id("cluster-a");
  log_.clear();
  EXPECT_EQ(run_verify().error().code, "position-beyond-log");
}

TEST_F(CommandsTest, ALogThatLostItsBeginningIsSaidToHave) {
  const auto id = serving();
  log_.set_low(Topic::kImageRequests, 1, 2);
  for (const auto& differs : {run_verify(), run_rebuild()}) {
    ASSERT_FALSE(differs.has_value());
    EXPECT_EQ(differs.error().code, "view-differs");
    EXPECT_TRUE(differs.error().message.ends_with("; but image-requests/1 begins at offset 2"))
        << differs.error().message;
  }
  EXPECT_EQ(serving(), id);
  EXPECT_TRUE(run_rebuild(true).has_value());
  EXPECT_NE(serving(), id);
  EXPECT_TRUE(run_verify().has_value());  // it is what the log gives
}

TEST_F(CommandsTest, ReadingAWholeViewIsGivenUpAtAStop) {
  const auto whole = view();
  const StoppableReader reader(*whole, stop_.get_token());
  EXPECT_EQ(digest_of(reader).value().sha256, digest_of(*whole).value().sha256);
  EXPECT_TRUE(compare_views(reader, *whole, 1).value().empty());
  stop_.request_stop();
  EXPECT_EQ(digest_of(reader).error().code, "stopped");
  EXPECT_EQ(compare_views(*whole, reader, 1).error().code, "stopped");
  EXPECT_EQ(run_verify().error().code, "stopped");
}

TEST_F(CommandsTest, RebuildSwapsInTheSameView) {
  const auto old_id = serving();
  const auto positions = read_positions(*view()).value();
  log_.append(uploaded(image_id(9)), 0, 900);  // not folded yet: not for the rebuild either
  const auto done = run_rebuild();
  ASSERT_TRUE(done.has_value()) << done.error().message;
  ASSERT_EQ(last_two().size(), 2U);
  EXPECT_EQ(last_two()[0].first, "before");
  EXPECT_EQ(last_two()[1].first, "after");
  EXPECT_EQ(last_two()[0].second, last_two()[1].second);
  EXPECT_NE(serving(), old_id);
  EXPECT_EQ(folder_.previous().value(), old_id);  // kept, to go back to
  EXPECT_EQ(read_positions(*view()).value(), positions);
  EXPECT_EQ(read_unreadable_count(*view()).value(), 1);
  project();
  EXPECT_TRUE(read_row(*view(), image_id(9)).value().has_value());
}

TEST_F(CommandsTest, RebuildKeepsADifferentViewUnlessForced) {
  const auto old_id = serving();
  write({view_keys::row(image_id(5)), std::nullopt});
  const auto differs = run_rebuild();
  ASSERT_FALSE(differs.has_value());
  EXPECT_EQ(differs.error().code, "view-differs");
  ASSERT_EQ(last_two().size(), 2U);
  EXPECT_NE(last_two()[0].second, last_two()[1].second);
  EXPECT_EQ(serving(), old_id);
  EXPECT_FALSE(read_row(*view(), image_id(5)).value().has_value());

  EXPECT_TRUE(run_rebuild(true).has_value());
  EXPECT_NE(serving(), old_id);
  EXPECT_TRUE(read_row(*view(), image_id(5)).value().has_value());
}

TEST_F(CommandsTest, RebuildRefusesWhileAProjectorRuns) {
  const auto lock = folder_.lock();
  EXPECT_EQ(run_rebuild().error().code, "view-in-use");
}

TEST_F(CommandsTest, GoesBackToTheViewThatServedBefore) {
  const auto first = serving();
  ASSERT_TRUE(run_rebuild().has_value());
  const auto second = serving();
  ASSERT_TRUE(roll_back(folder_, openers_, out_).has_value());
  EXPECT_EQ(serving(), first);
  EXPECT_EQ(folder_.previous().value(), second);
}

TEST_F(CommandsTest, DoesNotGoBackToAViewThatItCantRead) {
  const auto old_id = serving();
  write({view_keys::meta("row_version"), "1"});
  project();  // as after an upgrade
  const auto id = serving();
  ASSERT_EQ(folder_.previous().value(), old_id);
  EXPECT_EQ(roll_back(folder_, openers_, out_).error().code, "nothing-to-go-back-to");
  EXPECT_EQ(serving(), id);
  EXPECT_EQ(folder_.previous().value(), old_id);
}

TEST_F(CommandsTest, WithoutAViewThereIsNothingToShow) {
  std::filesystem::remove_all(folder_.root());
  EXPECT_EQ(open_serving_view(folder_, openers_).error().code, "no-view");
  EXPECT_EQ(run_rebuild().error().code, "no-view");
}

}  // namespace
}  // namespace thumb::testing
