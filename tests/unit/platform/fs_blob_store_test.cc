// The blob store's promises: invisible until committed, durable names, nothing outside the root.
#include "platform/fs_blob_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "platform/file_io.h"
#include "tests/support/temp_dir.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

class FsBlobStoreTest : public ::testing::Test {
 protected:
  FsBlobStoreTest() : store_(FsBlobStore::open_root(dir_.path() / "blobs").value()) {}

  [[nodiscard]] std::size_t files_in(const fs::path& folder) const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path() / "blobs" / folder)) {
      count += entry.is_regular_file() ? 1U : 0U;
    }
    return count;
  }

  testing::TempDir dir_;
  std::unique_ptr<FsBlobStore> store_;
};

TEST_F(FsBlobStoreTest, WhatIsPutCanBeRead) {
  ASSERT_TRUE(put(*store_, "images/a/original-1", as_bytes("hello")));
  const auto blob = store_->open("images/a/original-1");
  ASSERT_TRUE(blob);
  EXPECT_EQ((*blob)->size_bytes(), 5U);
  EXPECT_EQ(read_all(**blob, 100).value(), "hello");
  EXPECT_EQ(files_in("staging"), 0U);
}

TEST_F(FsBlobStoreTest, NothingShowsBeforeCommitAndNothingStaysWithoutIt) {
  {
    auto writer = store_->create().value();
    ASSERT_TRUE(writer->write(as_bytes("half")));
    EXPECT_EQ(as_text(writer->contents().value()), "half");
    ASSERT_TRUE(writer->write(as_bytes(" more")));
    EXPECT_EQ(as_text(writer->contents().value()), "half more");
    EXPECT_EQ(files_in("objects"), 0U);
    EXPECT_EQ(files_in("staging"), 1U);
  }
  EXPECT_EQ(files_in("staging"), 0U);
}

TEST_F(FsBlobStoreTest, AbsentAndOversizedAreErrors) {
  EXPECT_EQ(store_->open("images/a/none").error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(put(*store_, "images/b/x", as_bytes("12345")));
  EXPECT_EQ(store_->open("images/b").error().kind, ErrorKind::kNotFound) << "a folder";
  ASSERT_TRUE(put(*store_, "images/a/x", as_bytes("12345")));
  EXPECT_EQ(read_all(*store_->open("images/a/x").value(), 4).error().kind, ErrorKind::kTooLarge);
}

// The disk is not mounted, or an administrator moves the folder: nothing is lost, so nothing is
// final.
TEST_F(FsBlobStoreTest, WhileTheStoreItselfIsAwayNothingIsSaidOfItsBlobs) {
  ASSERT_TRUE(put(*store_, "images/a/x", as_bytes("bytes")));
  auto begun = store_->create().value();
  ASSERT_TRUE(begun->write(as_bytes("more")));
  const auto move = [](const fs::path& from, const fs::path& to) {
    for (const auto* folder : {"staging", "objects"}) fs::rename(from / folder, to / folder);
  };
  const auto root = dir_.path() / "blobs";
  const auto elsewhere = dir_.path() / "elsewhere";
  fs::create_directory(elsewhere);
  move(root, elsewhere);
  const auto committed = begun->commit("images/b/x");
  const auto created = store_->create();
  const auto opened = store_->open("images/a/x");
  const auto removed = store_->remove_all("images/a");
  for (const auto& error :
       {committed ? Error{} : committed.error(), created ? Error{} : created.error(),
        opened ? Error{} : opened.error(), removed ? Error{} : removed.error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << error.code;
    EXPECT_EQ(error.retry, Retry::kBackoff) << error.code;
  }
  EXPECT_TRUE(fs::is_empty(root)) << "a store of its own, on whatever disk that is";
  move(elsewhere, root);
  EXPECT_TRUE(store_->open("images/a/x"));
}

TEST(WriteFully, AFullDiskIsPassingTrouble) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  const auto written = write_fully(full.get(), as_bytes("bytes"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(written.error().retry, Retry::kBackoff);
}

TEST_F(FsBlobStoreTest, KeysCannotLeaveTheRoot) {
  for (const auto* key : {"", "/", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/",
                          "a\\b", "a b", "images/..", "a\nb"}) {
    EXPECT_EQ(store_->path_of(key).error().kind, ErrorKind::kInvalid) << key;
    EXPECT_EQ(put(*store_, key, as_bytes("x")).error().kind, ErrorKind::kInvalid) << key;
    EXPECT_EQ(store_->remove_all(key).error().kind, ErrorKind::kInvalid) << key;
  }
  EXPECT_FALSE(store_->path_of(std::string(513, 'a')));
  EXPECT_FALSE(store_->path_of(std::string(256, 'a')));
}

TEST_F(FsBlobStoreTest, AnyKeyStaysBelowTheRootOrIsRefused) {
  EXPECT_TRUE(rc::check("contained", [&](const std::string& key) {
    const auto path = store_->path_of(key);
    if (!path) return;
    const auto inside = path->lexically_normal().lexically_relative(dir_.path() / "blobs");
    RC_ASSERT(!inside.empty() && *inside.begin() != "..");
  }));
}

TEST_F(FsBlobStoreTest, RemoveTakesOneImageOnlyAndMayBeRepeated) {
  ASSERT_TRUE(put(*store_, "images/a/original-1", as_bytes("1")));
  ASSERT_TRUE(put(*store_, "images/a/thumbnail-default-2", as_bytes("2")));
  ASSERT_TRUE(put(*store_, "images/ab/original-3", as_bytes("3")));
  const auto open_before = store_->open("images/a/original-1").value();
  ASSERT_TRUE(store_->remove_all("images/a"));
  ASSERT_TRUE(store_->remove_all("images/a"));
  EXPECT_FALSE(store_->open("images/a/original-1"));
  EXPECT_FALSE(store_->open("images/a/thumbnail-default-2"));
  EXPECT_TRUE(store_->open("images/ab/original-3"));
  EXPECT_EQ(read_all(*open_before, 10).value(), "1") << "a reader keeps what it opened";
  EXPECT_TRUE(put(*store_, "images/a/original-1", as_bytes("1"))) << "a name can be used again";
}

TEST_F(FsBlobStoreTest, WritersOfOneKeyAndARemoverDoNotHarmEachOther) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        if (const auto stored = put(*store_, "images/a/same", as_bytes("same")); !stored) {
          ADD_FAILURE() << stored.error().detail;
        }
      }
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(store_->remove_all("images/b"));
  threads.clear();
  EXPECT_EQ(read_all(*store_->open("images/a/same").value(), 10).value(), "same");
  EXPECT_EQ(files_in("staging"), 0U);
}

TEST_F(FsBlobStoreTest, OldLeftoversOfACrashAreSweptAtStartYoungOnesStay) {
  const auto staging = dir_.path() / "blobs" / "staging";
  std::ofstream(staging / "old") << "x";
  std::ofstream(staging / "young") << "x";
  fs::last_write_time(staging / "old", fs::file_time_type::clock::now() - std::chrono::hours(2));
  ASSERT_TRUE(FsBlobStore::open_root(dir_.path() / "blobs"));
  EXPECT_FALSE(fs::exists(staging / "old"));
  EXPECT_TRUE(fs::exists(staging / "young"));
}

// Of a disk that is not mounted there is the folder that it would be mounted on.
TEST(FsBlobStoreOpen, WhatIsNotThereIsNotMadeUnlessAskedFor) {
  const testing::TempDir dir;
  const auto root = dir.path();
  const auto store = FsBlobStore::open_existing(root).value();
  EXPECT_FALSE(FsBlobStore::is_there(root));
  EXPECT_EQ(store->open("images/a/x").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(put(*store, "images/a/x", as_bytes("bytes")).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(store->remove_all("images/a").error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(fs::is_empty(root));

  ASSERT_TRUE(FsBlobStore::open_root(root));
  EXPECT_TRUE(FsBlobStore::is_there(root));
  ASSERT_TRUE(put(*store, "images/a/x", as_bytes("bytes")));
  EXPECT_TRUE(store->open("images/a/x"));
}

TEST(FsBlobStoreOpen, ARootThatCannotBeMadeIsAnError) {
  const testing::TempDir dir;
  std::ofstream(dir.path() / "file") << "not a folder";
  const auto store = FsBlobStore::open_root(dir.path() / "file" / "blobs");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(store.error().retry, Retry::kBackoff);
}

}  // namespace
}  // namespace thumb
