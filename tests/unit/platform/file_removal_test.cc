#include "platform/file_removal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "platform/file_io.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSlice = 1'000;

class FileRemovalTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_ / "below"); }

  fs::path make(const std::string& name, std::size_t bytes) {
    std::ofstream(folder_ / name) << std::string(bytes, 'x');
    return folder_ / name;
  }
  // What `file` is long at each question, until it is gone.
  std::vector<std::uint64_t> sizes_while_removed(const fs::path& file) {
    std::vector<std::uint64_t> sizes;
    const auto removed = remove_in_slices(folder_, kSlice, [&] {
      std::error_code gone;
      const auto size = fs::file_size(file, gone);
      if (!gone) sizes.push_back(size);
      return true;
    });
    EXPECT_TRUE(removed.has_value());
    EXPECT_FALSE(fs::exists(folder_));
    return sizes;
  }

  TempDir directory_;
  const fs::path folder_ = directory_.path() / "folder";
};

TEST_F(FileRemovalTest, ALongFileGoesSliceBySlice) {
  const auto file = make("a.sst", 3'500);
  EXPECT_EQ(sizes_while_removed(file), (std::vector<std::uint64_t>{3'500, 2'500, 1'500, 500}));
}

TEST_F(FileRemovalTest, ShortOnesAndFoldersGoAtOnce) {
  make("below/a", 0);
  make("below/b", kSlice);
  fs::create_symlink(directory_.path(), folder_ / "elsewhere");
  EXPECT_TRUE(remove_in_slices(folder_, kSlice, [] { return true; }).has_value());
  EXPECT_FALSE(fs::exists(folder_));
  EXPECT_TRUE(fs::exists(directory_.path()));
}

TEST_F(FileRemovalTest, ASliceMayBeAsLargeAsAny) {
  make("a.sst", 3'500);
  int asked = 0;
  const auto go_on = [&] { return ++asked < 10; };
  EXPECT_TRUE(remove_in_slices(folder_, std::numeric_limits<std::uint64_t>::max(), go_on));
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(FileRemovalTest, WhoHasAFileOpenKeepsItsBytes) {
  const auto file = make("a.sst", 3'500);
  const UniqueFd held(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(sizes_while_removed(file), (std::vector<std::uint64_t>{3'500}));
  EXPECT_EQ(::lseek(held.get(), 0, SEEK_END), 3'500);
}

TEST_F(FileRemovalTest, AnotherNameKeepsItsBytes) {
  const auto file = make("a.sst", 3'500);
  const auto other = directory_.path() / "other";
  fs::create_hard_link(file, other);
  EXPECT_EQ(sizes_while_removed(file), (std::vector<std::uint64_t>{3'500}));
  EXPECT_EQ(fs::file_size(other), 3'500U);
}

TEST_F(FileRemovalTest, EndsWhenToldToAndIsGoneOnWith) {
  const auto file = make("a.sst", 3'500);
  int asked = 0;
  EXPECT_TRUE(remove_in_slices(folder_, kSlice, [&] { return ++asked < 3; }).has_value());
  EXPECT_EQ(asked, 3);
  ASSERT_TRUE(fs::exists(folder_));
  EXPECT_LE(fs::file_size(file), 2'500U);
  EXPECT_TRUE(remove_in_slices(folder_, kSlice, [] { return true; }).has_value());
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(FileRemovalTest, WhatIsNotThereIsRemoved) {
  fs::remove_all(folder_);
  EXPECT_TRUE(remove_in_slices(folder_, kSlice, [] { return true; }).has_value());
}

}  // namespace
}  // namespace thumb::testing
