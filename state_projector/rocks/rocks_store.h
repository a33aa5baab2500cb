// The view on disk, as its one writer holds it.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>

#include "state_projector/key_value_store.h"

namespace rocksdb {
class DB;
}

namespace thumb {

// Thread-safe for reads; one writer. A write is in the WAL, in the page cache, before it returns:
// so it survives a kill of this process and can be seen by followers at once. It is not synced: a
// power cut may take the newest batches, rows and positions together, and the log has them still.
class RocksStore final : public KeyValueStore {
 public:
  // Makes the folder if need be. kUnavailable/"view-in-use" if another process writes to it.
  [[nodiscard]] static Result<std::unique_ptr<KeyValueStore>> open(
      const std::filesystem::path& folder);
  ~RocksStore() override;

  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override;
  [[nodiscard]] Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const override;
  [[nodiscard]] Result<void> scan(std::string_view prefix, std::string_view from,
                                  const Visit& visit) const override;
  [[nodiscard]] Result<void> write(std::span<const KeyChange> changes) override;
  [[nodiscard]] Result<std::unique_ptr<SortedRun>> begin_run() override;
  [[nodiscard]] Result<void> take_in(std::vector<std::unique_ptr<SortedRun>> runs) override;
  [[nodiscard]] Result<void> copy_to(const std::filesystem::path& folder) override;

  // Writes what is in memory to files and merges them all, as RocksDB does by itself in time.
  [[nodiscard]] Result<void> compact();

 private:
  RocksStore(const std::filesystem::path& folder, std::unique_ptr<rocksdb::DB> db);
  const std::filesystem::path runs_;  // folder of the runs that are being written
  std::atomic<int> runs_begun_{0};
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace thumb
