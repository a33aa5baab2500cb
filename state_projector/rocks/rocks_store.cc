// RocksDB as the primary instance.
#include "state_projector/rocks/rocks_store.h"

#include <rocksdb/write_batch.h>

#include <system_error>

#include "state_projector/rocks/rocks_reads.h"

namespace thumb {
namespace {

bool names_lock(const rocksdb::Status& status) {
  return status.IsIOError() && status.ToString().find("lock") != std::string::npos;
}

}  // namespace

RocksStore::RocksStore(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<KeyValueStore>> RocksStore::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "the view can't be made",
                          folder.string() + ": " + error.message());
  }
  auto options = rocks::view_options();
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, folder.string(), &db);
  if (names_lock(status)) {
    return fail_transient(ErrorKind::kUnavailable, "view-in-use",
                          "another process writes to this view", status.ToString());
  }
  if (!status.ok()) return rocks::to_failure(status, "open " + folder.string());
  return std::unique_ptr<KeyValueStore>(new RocksStore(std::unique_ptr<rocksdb::DB>(db)));
}

Result<std::optional<std::string>> RocksStore::get(std::string_view key) const {
  return rocks::get(*db_, key);
}

Result<std::vector<std::optional<std::string>>> RocksStore::multi_get(
    std::span<const std::string> keys) const {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), slices.size(), slices.data(),
                found.data(), statuses.data());
  std::vector<std::optional<std::string>> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      values[i] = found[i].ToString();
    } else if (!statuses[i].IsNotFound()) {
      return rocks::to_failure(statuses[i], "multi-get");
    }
  }
  return values;
}

Result<void> RocksStore::scan(std::string_view prefix, std::string_view from,
                              const Visit& visit) const {
  return rocks::scan(*db_, prefix, from, visit);
}

Result<void> RocksStore::write(std::span<const KeyChange> changes) {
  rocksdb::WriteBatch batch;
  for (const auto& change : changes) {
    const auto status =
        change.value ? batch.Put(change.key, *change.value) : batch.Delete(change.key);
    if (!status.ok()) return rocks::to_failure(status, "batch");
  }
  const auto status = db_->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) return rocks::to_failure(status, "write");
  return {};
}

Result<void> RocksStore::compact() {
  auto status = db_->Flush(rocksdb::FlushOptions());
  if (status.ok()) {
    status = db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr);
  }
  if (!status.ok()) return rocks::to_failure(status, "compact");
  return {};
}

}  // namespace thumb
