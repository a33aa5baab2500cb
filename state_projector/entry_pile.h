// What one reading thread of a bulk build collects: pairs in any order, to be had back in key
// order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state_projector/entry_spill.h"

namespace thumb {

// For one thread until seal(), then for all. Holds no more than `memory_bytes` of memory, but for
// what grows with the files it puts the rest into (one key for 256 KB).
class EntryPile {
 public:
  // `folder` must be there for as long as pairs are added.
  EntryPile(std::size_t memory_bytes, std::filesystem::path folder)
      : memory_bytes_(memory_bytes), folder_(std::move(folder)) {}

  // REQUIRES: no key twice; not sealed. Errors: those of the file system (back off).
  [[nodiscard]] Result<void> add(std::string_view key, std::string_view value);
  void seal();

  // REQUIRES: sealed. Cursors that together have all pairs from the first key >= `from` on.
  [[nodiscard]] Result<void> append_cursors(
      std::string_view from, std::vector<std::unique_ptr<EntryCursor>>& cursors) const;
  // REQUIRES: sealed. Keys that cut what is in memory in `parts` of about one size.
  [[nodiscard]] std::vector<std::string> cuts(std::size_t parts) const;

 private:
  // The first bytes stand beside the place: most comparisons need no more.
  struct Item {
    std::uint64_t first = 0;
    const char* at = nullptr;
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;

    [[nodiscard]] std::string_view key() const { return {at, key_bytes}; }
    [[nodiscard]] std::string_view value() const { return {at + key_bytes, value_bytes}; }
  };
  class Cursor;

  [[nodiscard]] char* allocate(std::size_t bytes);
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] Result<void> spill();
  void sort();

  const std::size_t memory_bytes_;
  const std::filesystem::path folder_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // NOLINT(modernize-avoid-c-arrays): raw storage
  std::size_t block_bytes_ = 0;                  // of all blocks
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
  std::vector<Item> items_;
  std::vector<EntrySpill> spills_;
};

}  // namespace thumb
