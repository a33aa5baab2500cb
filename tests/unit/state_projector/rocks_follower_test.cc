// Following RocksDB files while their writer flushes, compacts and restarts: what a secondary
// instance must not get wrong, nor show again once it was newer.
#include "state_projector/rocks/rocks_follower.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "platform/file_removal.h"
#include "state_projector/rocks/rocks_store.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait_until.h"

namespace thumb::testing {
namespace {

// A follower with its owner's duties: replace it when it says so, ask again when it is torn.
class Following {
 public:
  explicit Following(std::filesystem::path folder) : folder_(std::move(folder)) { replace(); }

  void catch_up() {
    ASSERT_TRUE(wait_until([this] {
      const auto caught_up = follower_->catch_up();
      return caught_up && *caught_up == RocksFollower::CaughtUp::kCurrent ? true : replace();
    }));
  }
  std::string value(const std::string& key) {
    return follower_->get(key).value().value_or("(none)");
  }
  RocksFollower& follower() { return *follower_; }
  [[nodiscard]] int opened() const { return opened_; }

 private:
  bool replace() {
    auto opened = RocksFollower::open(folder_);
    if (!opened) return false;
    follower_ = std::move(*opened);
    ++opened_;
    return true;
  }
  std::filesystem::path folder_;
  std::shared_ptr<RocksFollower> follower_;
  int opened_ = 0;
};

class RocksFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    store_ = RocksStore::open(folder_).value();
  }
  void put(const std::string& key, const std::string& value) {
    const KeyChange change{key, value};
    ASSERT_TRUE(store_->write({&change, 1}).has_value());
  }
  void compact() { ASSERT_TRUE(static_cast<RocksStore&>(*store_).compact().has_value()); }

  TempDir directory_;
  std::filesystem::path folder_ = directory_.path() / "db";
  std::unique_ptr<KeyValueStore> store_;
};

TEST_F(RocksFollowerTest, SeesEveryWriteAfterACatchUp) {
  put("a", "1");
  Following following(folder_);
  EXPECT_EQ(following.value("a"), "1");
  EXPECT_FALSE(following.follower().behind());
  put("a", "2");
  EXPECT_TRUE(following.follower().behind());
  EXPECT_EQ(following.value("a"), "1");
  following.catch_up();
  EXPECT_EQ(following.value("a"), "2");
  EXPECT_FALSE(following.follower().behind());
  EXPECT_EQ(following.opened(), 1);
}

// RocksDB issue 14444: the follower's memory holds the old value, the new one is in a file.
TEST_F(RocksFollowerTest, AFlushBetweenTwoCatchUpsHidesNothing) {
  put("a", "1");
  Following following(folder_);
  put("a", "2");
  put("b", "2");
  compact();  // the WAL that the follower was reading is gone, the next one is empty
  EXPECT_TRUE(following.follower().behind());
  following.catch_up();
  EXPECT_EQ(following.value("a"), "2");
  EXPECT_EQ(following.value("b"), "2");
}

TEST_F(RocksFollowerTest, ARestartOfTheWriterHidesNothing) {
  put("a", "1");
  Following following(folder_);
  put("a", "2");
  open();
  following.catch_up();
  EXPECT_EQ(following.value("a"), "2");
  put("a", "3");
  open();
  open();
  following.catch_up();
  EXPECT_EQ(following.value("a"), "3");
}

TEST_F(RocksFollowerTest, ABatchIsSeenWholeAndNothingGoesBack) {
  Following following(folder_);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 3'000; ++i) {
      const auto number = std::to_string(1'000'000 + i);
      const std::vector<KeyChange> batch{
          {"x" + std::to_string(i % 50), number}, {"y", number}, {"z", number}};
      ASSERT_TRUE(store_->write(batch).has_value());
      if (i % 200 == 0) compact();
    }
    done = true;
  });
  std::string last = "(none)";
  for (bool last_round = false; !last_round;) {
    last_round = done;
    following.catch_up();
    const auto y = following.value("y");
    EXPECT_EQ(following.value("z"), y);
    EXPECT_GE(y, last);
    last = y;
    if (y != "(none)") {
      EXPECT_EQ(following.value("x" + std::to_string((std::stoi(y) - 1'000'000) % 50)), y);
    }
  }
  writer.join();
  EXPECT_EQ(last, "1003000");
}

TEST_F(RocksFollowerTest, ReadsWhatItHasOpenWhenTheFolderIsGone) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), "v");
  compact();
  Following following(folder_);
  store_.reset();
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(following.value("k42"), "v");
  const auto gone = RocksFollower::open(folder_);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, "view-gone");
  EXPECT_EQ(following.follower().catch_up().value(), RocksFollower::CaughtUp::kReplace);
}

// As the projector removes a view that nobody names any more, and somebody reads slowly.
TEST_F(RocksFollowerTest, ReadsWhatItHasOpenWhenTheFolderIsRemovedInSlices) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), std::string(100, 'v'));
  compact();
  Following following(folder_);
  store_.reset();
  ASSERT_TRUE(remove_in_slices(folder_, 100, [] { return true; }).has_value());
  ASSERT_FALSE(std::filesystem::exists(folder_));
  EXPECT_EQ(following.value("k42"), std::string(100, 'v'));
}

TEST_F(RocksFollowerTest, OneWriterAtATime) {
  const auto second = RocksStore::open(folder_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, "view-in-use");
}

}  // namespace
}  // namespace thumb::testing
