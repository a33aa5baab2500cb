// A sorted run as a table file that RocksDB takes in whole. Private to this folder.
#pragma once

#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "state_projector/key_value_store.h"

namespace thumb {

// Removes its file at the end, where it still is.
class RocksRun final : public SortedRun {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SortedRun>> begin(const rocksdb::Options& options,
                                                                std::filesystem::path file);
  ~RocksRun() override;

  [[nodiscard]] Result<void> add(std::string_view key, std::string_view value) override;
  // The file, closed; none for a run without a pair, which RocksDB has no file for.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> finish();

 private:
  RocksRun(const rocksdb::Options& options, std::filesystem::path file);
  const std::filesystem::path file_;
  rocksdb::SstFileWriter writer_;
  bool empty_ = true;
};

}  // namespace thumb
