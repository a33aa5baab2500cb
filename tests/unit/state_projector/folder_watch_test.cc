// What the kernel tells of a view's folder.
#include "state_projector/folder_watch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

using namespace std::chrono_literals;

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() { std::filesystem::create_directories(view_); }

  static void append(const std::filesystem::path& file) {
    std::ofstream(file, std::ios::app) << "more";
  }
  FolderWatch::Seen look() { return watch_.wait(std::chrono::steady_clock::now(), true); }
  FolderWatch::Seen await() { return watch_.wait(std::chrono::steady_clock::now() + 20s, true); }

  TempDir dir_;
  const std::filesystem::path view_ = dir_.path() / "v-1";
  FolderWatch watch_;
};

TEST_F(FolderWatchTest, SeesAWalGrowAndNoOtherFile) {
  append(view_ / "000004.log");
  append(view_ / "LOG");
  ASSERT_TRUE(watch_.watch_view(view_));
  append(view_ / "LOG");
  EXPECT_FALSE(look().data);
  append(view_ / "000004.log");
  EXPECT_TRUE(await().data);
  EXPECT_FALSE(look().data);  // told once
  append(view_ / "000005.log");
  EXPECT_TRUE(await().data);
}

TEST_F(FolderWatchTest, SeesThePointerReplaced) {
  ASSERT_TRUE(watch_.watch_root(dir_.path()));
  append(dir_.path() / "current.new");
  look();
  std::filesystem::rename(dir_.path() / "current.new", dir_.path() / "current");
  EXPECT_TRUE(await().pointer);
  EXPECT_FALSE(look().pointer);
}

TEST_F(FolderWatchTest, ARootThatWentIsToldAndMayBeWatchedAgain) {
  const auto root = dir_.path() / "root";
  EXPECT_FALSE(watch_.watch_root(root));
  std::filesystem::create_directory(root);
  EXPECT_TRUE(watch_.watch_root(root));
  std::filesystem::remove(root);
  EXPECT_TRUE(await().pointer);
  EXPECT_FALSE(watch_.watch_root(root));
  std::filesystem::create_directory(root);
  EXPECT_TRUE(watch_.watch_root(root));
}

TEST_F(FolderWatchTest, WhatIsWrittenWhileNobodyHeedsItIsToldLater) {
  ASSERT_TRUE(watch_.watch_view(view_));
  append(view_ / "000004.log");
  EXPECT_FALSE(watch_.wait(std::chrono::steady_clock::now() + 5ms, false).data);
  EXPECT_TRUE(look().data);
}

TEST_F(FolderWatchTest, AnotherThreadEndsTheWait) {
  std::jthread waker([this] { watch_.wake(); });
  const auto seen = await();
  EXPECT_FALSE(seen.data || seen.pointer);
}

}  // namespace
}  // namespace thumb::testing
