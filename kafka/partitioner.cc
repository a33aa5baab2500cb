// MurmurHash2, 32 bit, with the seed and the signed-to-positive step of Kafka's Java client
// (org.apache.kafka.common.utils.Utils.murmur2). Bytes are read one by one: any alignment, any
// byte order.
#include "kafka/partitioner.h"

#include <cstddef>

namespace thumb::kafka {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28cU;
constexpr std::uint32_t kMultiplier = 0x5bd1e995U;
constexpr std::uint32_t kPositiveMask = 0x7fffffffU;

std::uint32_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// The `count` bytes from `at`, little-endian.
std::uint32_t word_at(std::string_view text, std::size_t at, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= byte_at(text, at + i) << (8 * i);
  return word;
}

}  // namespace

std::uint32_t murmur2(std::string_view key) {
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    std::uint32_t word = word_at(key, at, 4) * kMultiplier;
    word ^= word >> 24U;
    hash = (hash * kMultiplier) ^ (word * kMultiplier);
  }
  if (at < key.size()) hash = (hash ^ word_at(key, at, key.size() - at)) * kMultiplier;
  hash = (hash ^ (hash >> 13U)) * kMultiplier;
  return hash ^ (hash >> 15U);
}

std::int32_t partition_for(std::string_view key, std::int32_t partitions) {
  const auto positive = murmur2(key) & kPositiveMask;
  return static_cast<std::int32_t>(positive % static_cast<std::uint32_t>(partitions));
}

}  // namespace thumb::kafka
