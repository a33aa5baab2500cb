// Big-endian numbers after a prefix byte; every parser checks the exact length.
#include "state_projector/view_keys.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>

namespace thumb::view_keys {
namespace {

constexpr std::string_view kCounters = "c";
constexpr std::string_view kHistory = "h";
constexpr std::string_view kMeta = "m";

template <std::unsigned_integral Number>
void append(std::string& out, Number value) {
  std::array<char, sizeof(Number)> bytes{};
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes[i] = static_cast<char>((std::uint64_t{value} >> (8 * (sizeof(Number) - 1 - i))) & 0xFFU);
  }
  out.append(bytes.data(), bytes.size());
}

template <std::unsigned_integral Number>
Number take(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  bytes.remove_prefix(sizeof(Number));
  return static_cast<Number>(value);
}

void append(std::string& out, const UuidBytes& bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// With the sign bit turned over, byte order is number order for negative times too.
std::uint64_t ordered(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63U);
}

// topic(1) partition(4), and behind it an offset(8).
constexpr std::size_t kPartitionBytes = 1 + 4;
constexpr std::size_t kPlaceBytes = kPartitionBytes + 8;

std::string partition_key(std::string_view prefix, const ViewPartition& partition) {
  std::string key(prefix);
  append(key, static_cast<std::uint8_t>(partition.topic));
  append(key, static_cast<std::uint32_t>(partition.partition));
  return key;
}

std::string place_key(std::string_view prefix, const ViewPartition& partition,
                      std::int64_t offset) {
  auto key = partition_key(prefix, partition);
  append(key, static_cast<std::uint64_t>(offset));
  return key;
}

ViewPartition take_partition(std::string_view& bytes) {
  const auto topic = static_cast<Topic>(take<std::uint8_t>(bytes));
  return {topic, static_cast<std::int32_t>(take<std::uint32_t>(bytes))};
}

LogPlace take_place(std::string_view bytes) {
  const auto partition = take_partition(bytes);
  return {partition, static_cast<std::int64_t>(take<std::uint64_t>(bytes))};
}

}  // namespace

std::string row(const ImageId& id) {
  std::string key(kRows);
  append(key, id.bytes);
  return key;
}

std::optional<ImageId> parse_row(std::string_view key) {
  ImageId id;
  if (!key.starts_with(kRows) || key.size() != kRows.size() + id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), key.data() + kRows.size(), id.bytes.size());
  return id;
}

std::string index_prefix(std::optional<ImageState> state) {
  if (!state) return std::string(kByAcceptance);
  std::string prefix(kByState);
  append(prefix, static_cast<std::uint8_t>(*state));
  return prefix;
}

std::string index_place(const ImageRow& row) {
  std::string place;
  append(place, ~ordered(to_ms(row.deleted ? row.deleted->at : row.upload->at)));
  append(place, row.id.bytes);
  std::transform(place.begin() + 8, place.end(), place.begin() + 8,
                 [](char c) { return static_cast<char>(~c); });
  return place;
}

std::optional<ImageId> parse_index_place(std::string_view place) {
  if (place.size() != kIndexPlaceBytes) return std::nullopt;
  ImageId id;
  std::transform(place.begin() + 8, place.end(), id.bytes.begin(),
                 [](char c) { return static_cast<std::uint8_t>(~c); });
  return id;
}

std::string history_prefix(const ImageId& id) {
  std::string key(kHistory);
  append(key, id.bytes);
  return key;
}

std::string history(const ImageId& id, const ViewPartition& partition, std::int64_t offset) {
  return place_key(history_prefix(id), partition, offset);
}

std::optional<ImageId> parse_history_image(std::string_view key) {
  ImageId id;
  if (!key.starts_with(kHistory) || key.size() < kHistory.size() + id.bytes.size()) {
    return std::nullopt;
  }
  std::memcpy(id.bytes.data(), key.data() + kHistory.size(), id.bytes.size());
  return id;
}

std::optional<LogPlace> parse_history(std::string_view key) {
  constexpr std::size_t kPrefixBytes = kHistory.size() + sizeof(ImageId::bytes);
  if (key.size() != kPrefixBytes + kPlaceBytes) return std::nullopt;
  return take_place(key.substr(kPrefixBytes));
}

std::string change(std::uint64_t sequence) {
  std::string key(kChanges);
  append(key, sequence);
  return key;
}

std::optional<std::uint64_t> parse_change(std::string_view key) {
  if (!key.starts_with(kChanges) || key.size() != kChanges.size() + 8) return std::nullopt;
  key.remove_prefix(kChanges.size());
  return take<std::uint64_t>(key);
}

std::string last_change() {
  std::string key(kCounters);
  append(key, std::uint8_t{255});  // no state has this number
  return key;
}

std::string counter(ImageState state) {
  std::string key(kCounters);
  append(key, static_cast<std::uint8_t>(state));
  return key;
}

std::string unreadable_counter() {
  std::string key(kCounters);
  append(key, std::uint8_t{0});  // no state has this number
  return key;
}

std::string position(const ViewPartition& partition) {
  return partition_key(kPositions, partition);
}

std::optional<ViewPartition> parse_position(std::string_view key) {
  if (!key.starts_with(kPositions) || key.size() != kPositions.size() + kPartitionBytes) {
    return std::nullopt;
  }
  key.remove_prefix(kPositions.size());
  return take_partition(key);
}

std::string unreadable(const ViewPartition& partition, std::int64_t offset) {
  return place_key(kUnreadable, partition, offset);
}

std::optional<LogPlace> parse_unreadable(std::string_view key) {
  if (!key.starts_with(kUnreadable) || key.size() != kUnreadable.size() + kPlaceBytes) {
    return std::nullopt;
  }
  return take_place(key.substr(kUnreadable.size()));
}

std::string meta(std::string_view name) { return std::string(kMeta) + std::string(name); }

std::string encode_number(std::int64_t value) {
  std::string bytes;
  append(bytes, static_cast<std::uint64_t>(value));
  return bytes;
}

std::optional<std::int64_t> decode_number(std::string_view bytes) {
  if (bytes.size() != 8) return std::nullopt;
  return static_cast<std::int64_t>(take<std::uint64_t>(bytes));
}

}  // namespace thumb::view_keys
