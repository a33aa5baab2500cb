// Data-driven: tests/golden/fold/*.txt hold records of a log and the rows that must come of them.
//
//   # comment
//   event <topic> <partition> <offset> <time ms> <event name> <key> <JSON data or - for a
//   tombstone> row <JSON as `dump` prints it>
//
// The events are read in the order given and in reverse; both must give the rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "state_projector/view_json.h"
#include "state_projector/view_writer.h"
#include "tests/support/memory_store.h"
#include "tests/support/placed_events.h"
#include "tests/support/record_views.h"

namespace thumb::testing {
namespace {

struct Golden {
  std::vector<InRecord> records;
  std::string rows;
};

InRecord parse_event(std::istringstream& words) {
  InRecord record;
  std::int64_t ms = 0;
  std::string name;
  std::string data;
  words >> record.topic >> record.position.partition >> record.position.offset >> ms >> name >>
      record.key >> std::ws;
  std::getline(words, data);
  record.timestamp = time_from_ms(ms);
  if (data != "-") record.value = data;
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_id", record.key + ":" + name},
                    {"ce_source", "/thumbstream/golden"},
                    {"ce_type", "io.thumbstream." + name + ".v1"},
                    {"content-type", "application/json"}};
  return record;
}

Golden read_golden(const std::filesystem::path& path) {
  Golden golden;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind >> std::ws;
    if (kind == "event") {
      golden.records.push_back(parse_event(words));
    } else if (kind == "row") {
      golden.rows += line.substr(4) + "\n";
    } else {
      EXPECT_TRUE(kind.empty() || kind == "#") << line;
    }
  }
  return golden;
}

// Each record in a batch of its own, each topic's in order of offsets.
std::string fold_all(const std::vector<InRecord>& records) {
  MemoryStore store;
  const TopicNames names;
  auto writer = ViewWriter::open(store, names).value();
  for (const auto& record : records) {
    EXPECT_EQ(writer->apply(testing::views_of({&record, 1}), {}).value().unreadable, 0U);
  }
  std::string rows;
  EXPECT_TRUE(for_each_row(store, [&rows](const ImageRow& row) {
                rows += row_json(row) + "\n";
                return true;
              }).has_value());
  return rows;
}

class GoldenFold : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(GoldenFold, GivesTheRows) {
  auto golden = read_golden(GetParam());
  ASSERT_FALSE(golden.records.empty());
  EXPECT_EQ(fold_all(golden.records), golden.rows);
  // The other way round by topics: answers before questions.
  std::ranges::stable_sort(golden.records, std::greater<>(), &InRecord::topic);
  EXPECT_EQ(fold_all(golden.records), golden.rows);
}

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(THUMB_SOURCE_DIR "/tests/golden/fold")) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenFold, ::testing::ValuesIn(golden_files()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace thumb::testing
