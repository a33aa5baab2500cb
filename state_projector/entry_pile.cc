#include "state_projector/entry_pile.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace thumb {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
// What is sorted lies anywhere in memory: it is fetched so many pairs before it is asked for, as
// far as a pair usually goes.
constexpr std::size_t kPairsAhead = 8;
constexpr std::size_t kUsualPairBytes = 320;
constexpr std::size_t kCacheLineBytes = 64;

std::uint64_t first_bytes(std::string_view key) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    value = (value << 8U) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
  }
  return value;
}

}  // namespace

class EntryPile::Cursor final : public EntryCursor {
 public:
  explicit Cursor(std::span<const Item> items) : items_(items) {}
  [[nodiscard]] bool valid() const override { return !items_.empty(); }
  [[nodiscard]] std::string_view key() const override { return items_.front().key(); }
  [[nodiscard]] std::string_view value() const override { return items_.front().value(); }
  Result<void> next() override {
    items_ = items_.subspan(1);
    if (items_.size() > kPairsAhead) fetch(items_[kPairsAhead].at);
    return {};
  }

 private:
  static void fetch(const char* pair) {
    for (std::size_t at = 0; at < kUsualPairBytes; at += kCacheLineBytes) {
      __builtin_prefetch(pair + at);
    }
  }

  std::span<const Item> items_;
};

Result<void> EntryPile::add(std::string_view key, std::string_view value) {
  char* at = allocate(key.size() + value.size());
  std::memcpy(at, key.data(), key.size());
  std::memcpy(at + key.size(), value.data(), value.size());
  items_.push_back({first_bytes(key), at, static_cast<std::uint32_t>(key.size()),
                    static_cast<std::uint32_t>(value.size())});
  return held() < memory_bytes_ ? Result<void>() : spill();
}

char* EntryPile::allocate(std::size_t bytes) {
  if (free_bytes_ < bytes) {
    const auto size = std::max(kBlockBytes, bytes);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));  // NOLINT(*-avoid-c-arrays)
    block_bytes_ += size;
    free_ = blocks_.back().get();
    free_bytes_ = size;
  }
  char* const at = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return at;
}

// The items' vector doubles: then the old one and the new one are there at once.
std::size_t EntryPile::held() const {
  const bool full = items_.size() == items_.capacity();
  return block_bytes_ + items_.capacity() * sizeof(Item) * (full ? 3 : 1);
}

void EntryPile::sort() {
  std::ranges::sort(items_, [](const Item& a, const Item& b) {
    return a.first != b.first ? a.first < b.first : a.key() < b.key();
  });
}

Result<void> EntryPile::spill() {
  sort();
  Cursor all(items_);
  auto written = EntrySpill::write(folder_, all);
  if (!written) return Failure(std::move(written.error()));
  spills_.push_back(std::move(*written));
  items_.clear();
  items_.shrink_to_fit();
  blocks_.clear();
  block_bytes_ = free_bytes_ = 0;
  return {};
}

void EntryPile::seal() { sort(); }

Result<void> EntryPile::append_cursors(std::string_view from,
                                       std::vector<std::unique_ptr<EntryCursor>>& cursors) const {
  const auto begin = std::ranges::lower_bound(items_, from, {}, &Item::key);
  cursors.push_back(std::make_unique<Cursor>(std::span(begin, items_.end())));
  for (const auto& spill : spills_) {
    auto cursor = spill.cursor(from);
    if (!cursor) return Failure(std::move(cursor.error()));
    cursors.push_back(std::move(*cursor));
  }
  return {};
}

std::vector<std::string> EntryPile::cuts(std::size_t parts) const {
  std::vector<std::string> keys;
  for (std::size_t part = 1; part < parts && !items_.empty(); ++part) {
    keys.emplace_back(items_[items_.size() * part / parts].key());
  }
  return keys;
}

}  // namespace thumb
