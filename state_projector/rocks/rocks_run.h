// A sorted run as table files that RocksDB takes in whole. Private to this folder.
#pragma once

#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "state_projector/key_value_store.h"

namespace thumb {

// Removes its files at the end, where they still are. None becomes much larger than those that a
// compaction writes: whoever copies a view has something to do for several threads.
class RocksRun final : public SortedRun {
 public:
  // The files are named `name` and a number behind it.
  [[nodiscard]] static Result<std::unique_ptr<SortedRun>> begin(const rocksdb::Options& options,
                                                                const std::filesystem::path& name);
  ~RocksRun() override;

  [[nodiscard]] Result<void> add(std::string_view key, std::string_view value) override;
  // The files, closed; none for a run without a pair, which RocksDB has no file for.
  [[nodiscard]] Result<std::vector<std::string>> finish();

 private:
  RocksRun(const rocksdb::Options& options, const std::filesystem::path& name);
  [[nodiscard]] Result<void> begin_file();

  const std::string name_;
  const std::uint64_t file_bytes_;
  rocksdb::SstFileWriter writer_;
  std::vector<std::string> files_;  // the last is open
  bool empty_ = true;
};

}  // namespace thumb
