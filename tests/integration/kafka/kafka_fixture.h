// What every test against a broker needs: topics of its own, records in and out, waits with an end.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "kafka/clients.h"

namespace thumb::kafka {

using std::chrono::milliseconds;

// How long a test waits for what must happen. Generous: only a failing test waits that long.
inline constexpr milliseconds kPatience{60'000};
// Nobody listens on port 1 of loopback.
inline constexpr const char* kNobody = "127.0.0.1:1";

// True as soon as `condition` holds; `condition` itself waits a little where it can.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

[[nodiscard]] OutRecord record(const std::string& topic, const std::string& key,
                               const std::string& value);

// Repeats the call as long as it asks for that, as its callers do.
[[nodiscard]] Result<void> commit_patiently(TransactionalProducer& producer,
                                            std::span<const OutRecord> records,
                                            std::span<const PartitionOffset> offsets,
                                            const GroupMetadata& group);

class KafkaTest : public testing::Test {
 protected:
  // Fails the test if THUMB_TEST_KAFKA is missing: a tier that skips proves nothing.
  void SetUp() override;

  [[nodiscard]] ClusterConfig cluster() const;
  // A name that no other test, process or run uses.
  [[nodiscard]] static std::string unique(const std::string& what);
  // A new topic that is ready for use.
  [[nodiscard]] std::string make_topic(std::int32_t partitions = 1);

  [[nodiscard]] std::unique_ptr<Producer> producer();
  // Appends `count` records "0", "1", ... to one partition.
  void fill(const std::string& topic, std::int32_t partition, int count);
  // All committed records of a partition from `start` up to its end, and where that is.
  [[nodiscard]] std::vector<InRecord> read_all(const std::string& topic, std::int32_t partition = 0,
                                               std::int64_t start = 0, std::int64_t* end = nullptr);

  std::string bootstrap_;
  Log log_{"test", LogLevel::kError};
};

}  // namespace thumb::kafka
