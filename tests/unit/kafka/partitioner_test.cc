// The expected hashes are those of org.apache.kafka.common.utils.Utils.murmur2 (Kafka 4.1.0),
// printed by a program that called it.
#include "kafka/partitioner.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <string>

namespace thumb::kafka {
namespace {

struct Vector {
  std::string key;
  std::uint32_t hash;
  std::int32_t of_12;
  std::int32_t of_7;
};

std::string all_bytes() {
  std::string bytes(256, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  return bytes;
}

const Vector kVectors[] = {
    {"", 275646681U, 9, 2},
    {"a", 2731586172U, 4, 5},
    {"ab", 316155434U, 2, 0},
    {"abc", 479470107U, 3, 4},
    {"abcd", 2971317748U, 8, 5},
    {"abcde", 461995741U, 1, 4},
    {"21", 3321034988U, 0, 3},
    {"foobar", 3504634814U, 6, 0},
    {"kafka", 3496464228U, 4, 3},
    {"thumbnail", 3657599645U, 9, 5},
    {"0190b5c4-1f2a-7cde-8f01-23456789abcd", 3840308819U, 3, 2},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 4062148730U, 6, 1},
    {"a-little-bit-long-string", 3308985760U, 8, 1},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 4236069325U, 5, 3},
    {std::string("\xff\x80\x00\x01\xfe\x00\x90", 7), 1852695441U, 9, 2},
    {all_bytes(), 2346620022U, 10, 3},
};

TEST(Partitioner, HashesAsJavaDoes) {
  for (const auto& vector : kVectors) EXPECT_EQ(murmur2(vector.key), vector.hash) << vector.key;
}

TEST(Partitioner, ChoosesThePartitionsThatJavaChooses) {
  for (const auto& vector : kVectors) {
    EXPECT_EQ(partition_for(vector.key, 12), vector.of_12) << vector.key;
    EXPECT_EQ(partition_for(vector.key, 7), vector.of_7) << vector.key;
  }
}

RC_GTEST_PROP(Partitioner, StaysWithinThePartitions, (const std::string& key)) {
  const auto count = *rc::gen::inRange<std::int32_t>(1, 10'000);
  const auto partition = partition_for(key, count);
  RC_ASSERT(partition >= 0);
  RC_ASSERT(partition < count);
}

RC_GTEST_PROP(Partitioner, DependsOnTheBytesAlone, (const std::string& key)) {
  const auto before = *rc::gen::inRange<std::size_t>(0, 9);
  const std::string padded = std::string(before, 'x') + key + "tail";
  RC_ASSERT(murmur2(std::string_view(padded).substr(before, key.size())) == murmur2(key));
}

TEST(Partitioner, SpreadsIdsEvenly) {
  constexpr int kPartitions = 12;
  constexpr int kEach = 1'000;
  std::vector<int> counts(kPartitions);
  for (int i = 0; i < kPartitions * kEach; ++i) {
    const auto key = "0190b5c4-1f2a-7cde-8f01-" + std::to_string(100'000'000'000 + i);
    ++counts[static_cast<std::size_t>(partition_for(key, kPartitions))];
  }
  for (const int count : counts) EXPECT_NEAR(count, kEach, 0.2 * kEach);
}

}  // namespace
}  // namespace thumb::kafka
