// Records that a test owns, as a reader of the log hands them out.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kafka/consumer.h"

namespace thumb::testing {

// Of records that outlive the views.
inline std::vector<RecordView> views_of(std::span<const InRecord> records) {
  std::vector<RecordView> views;
  for (const auto& record : records) views.push_back(view_of(record));
  return views;
}

// The batch owns the records.
inline kafka::ReadBatch batch_of(std::vector<InRecord> records,
                                 std::vector<kafka::PartitionOffset> ends = {}) {
  auto memory = std::make_shared<const std::vector<InRecord>>(std::move(records));
  auto views = views_of(*memory);
  return {std::move(views), std::move(ends), std::move(memory)};
}

}  // namespace thumb::testing
