// RocksDB as the primary instance.
#include "state_projector/rocks/rocks_store.h"

#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <iterator>
#include <system_error>

#include "state_projector/rocks/rocks_reads.h"
#include "state_projector/rocks/rocks_run.h"

namespace thumb {
namespace {

bool names_lock(const rocksdb::Status& status) {
  return status.IsIOError() && status.ToString().find("lock") != std::string::npos;
}

// What a batch has around a key and its value, at most: a tag, and their sizes.
constexpr std::size_t kBytesAround = 11;

std::filesystem::path runs_of(const std::filesystem::path& folder) { return folder / "runs"; }

}  // namespace

RocksStore::RocksStore(const std::filesystem::path& folder, std::unique_ptr<rocksdb::DB> db)
    : runs_(runs_of(folder)), db_(std::move(db)) {}
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
  std::filesystem::remove_all(runs_of(folder), error);  // of a process that was killed
  return std::unique_ptr<KeyValueStore>(new RocksStore(folder, std::unique_ptr<rocksdb::DB>(db)));
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
  std::size_t bytes = 0;
  for (const auto& change : changes) {
    bytes += kBytesAround + change.key.size() + (change.value ? change.value->size() : 0);
  }
  rocksdb::WriteBatch batch(bytes);
  for (const auto& change : changes) {
    const auto status =
        change.value ? batch.Put(change.key, *change.value) : batch.Delete(change.key);
    if (!status.ok()) return rocks::to_failure(status, "batch");
  }
  const auto status = db_->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) return rocks::to_failure(status, "write");
  return {};
}

Result<std::unique_ptr<SortedRun>> RocksStore::begin_run() {
  std::error_code error;
  std::filesystem::create_directories(runs_, error);  // one that can't be made tells when opened
  return RocksRun::begin(db_->GetOptions(), runs_ / std::to_string(runs_begun_++));
}

Result<void> RocksStore::take_in(std::vector<std::unique_ptr<SortedRun>> runs) {
  std::vector<std::string> files;
  for (auto& run : runs) {
    auto finished = static_cast<RocksRun&>(*run).finish();
    if (!finished) return Failure(std::move(finished.error()));
    std::ranges::move(*finished, std::back_inserter(files));
  }
  if (files.empty()) return {};
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.snapshot_consistency = false;  // nobody reads this view yet
  options.write_global_seqno = false;
  const auto status = db_->IngestExternalFile(files, options);
  if (!status.ok()) return rocks::to_failure(status, "ingest");
  return {};
}

Result<void> RocksStore::copy_to(const std::filesystem::path& folder) {
  rocksdb::Checkpoint* raw = nullptr;
  auto status = rocksdb::Checkpoint::Create(db_.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(folder.string());
  if (!status.ok()) return rocks::to_failure(status, "copy to " + folder.string());
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
