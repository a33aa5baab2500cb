// What a reader of the view gets with it, besides the bytes.
#include "state_projector/rocks/rocks_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "platform/file_io.h"
#include "tests/support/temp_dir.h"

namespace thumb::testing {
namespace {

// How many of the file's pages are in memory, and how many there are.
std::pair<std::size_t, std::size_t> pages_in_memory(const std::filesystem::path& file) {
  constexpr std::size_t kPage = 4096;
  const auto bytes = std::filesystem::file_size(file);
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return {};
  std::vector<unsigned char> pages((bytes + kPage - 1) / kPage);
  const int known = ::mincore(mapped, bytes, pages.data());
  ::munmap(mapped, bytes);
  if (known != 0) return {};
  return {std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }),
          pages.size()};
}

std::vector<std::filesystem::path> tables_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> tables;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".sst") tables.push_back(entry.path());
  }
  return tables;
}

Result<void> take_in(KeyValueStore& store, std::unique_ptr<SortedRun> run) {
  std::vector<std::unique_ptr<SortedRun>> runs;
  runs.push_back(std::move(run));
  return store.take_in(std::move(runs));
}

// The first reads of a view that begins to serve are not to wait for the disk.
TEST(RocksStore, WhatItTakesInStaysInThePageCache) {
  const TempDir directory;
  const auto store = RocksStore::open(directory.path() / "view").value();
  auto run = store->begin_run().value();
  std::mt19937_64 random(1);  // what compresses badly
  for (int i = 100'000; i < 300'000; ++i) {
    ASSERT_TRUE(run->add("k" + std::to_string(i), std::to_string(random())).has_value());
  }
  ASSERT_TRUE(take_in(*store, std::move(run)).has_value());
  const auto tables = tables_in(directory.path() / "view");
  ASSERT_EQ(tables.size(), 1U);
  const auto [in_memory, all] = pages_in_memory(tables.front());
  EXPECT_GT(all, 500U);
  // A machine short of memory may have taken some.
  EXPECT_GT(in_memory, all / 2);
}

// Whoever brings a checkpoint waits for its largest file.
TEST(RocksStore, ALargeRunBecomesSeveralTables) {
  const TempDir directory;
  const auto store = RocksStore::open(directory.path() / "view").value();
  auto run = store->begin_run().value();
  std::mt19937_64 random(1);
  constexpr std::size_t kPairs = 800;
  for (std::size_t i = 0; i < kPairs; ++i) {
    std::string value(100'000, ' ');
    std::ranges::generate(value, [&random] { return static_cast<char>(random()); });
    ASSERT_TRUE(run->add("k" + std::to_string(1'000 + i), value).has_value());
  }
  ASSERT_TRUE(take_in(*store, std::move(run)).has_value());
  const auto tables = tables_in(directory.path() / "view");
  EXPECT_EQ(tables.size(), 3U);  // of 80 MB
  for (const auto& table : tables) EXPECT_LT(std::filesystem::file_size(table), 34'000'000U);
  std::size_t pairs = 0;
  const auto count = [&pairs](std::string_view, std::string_view) { return ++pairs > 0; };
  ASSERT_TRUE(store->scan("k", "k", count).has_value());
  EXPECT_EQ(pairs, kPairs);
}

}  // namespace
}  // namespace thumb::testing
