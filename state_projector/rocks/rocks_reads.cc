// Settings with their reasons, and the reads that both sides make.
#include "state_projector/rocks/rocks_reads.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#if defined(__SANITIZE_THREAD__)
// Debian's librocksdb.a is not instrumented: TSan can't see the atomics by which its memtable hands
// entries from the writing thread to reading ones.
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() { return "race:rocksdb::\n"; }  // NOLINT
#endif

namespace thumb::rocks {
namespace {

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// Its own log would grow with every catch-up, and says nothing that our errors don't.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

}  // namespace

rocksdb::Options view_options() {
  rocksdb::Options options;
  options.max_open_files = -1;
  options.info_log = std::make_shared<SilentLogger>();
  options.compression = rocksdb::kLZ4Compression;
  // A checkpoint is brought file by file, by several threads; a view of a million events has 150
  // MB.
  options.target_file_size_base = std::uint64_t{32} << 20U;
  // A follower reads a WAL of up to this size anew whenever a memtable is full.
  options.write_buffer_size = std::size_t{32} << 20U;
  // A batch arrives in key order: with a hint per prefix the memtable finds the next place beside
  // the last one. Concurrent writes would switch that off, and there is one writer.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(2));
  options.allow_concurrent_memtable_write = false;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(std::size_t{64} << 20U);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most new ids are in no file
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Failure to_failure(const rocksdb::Status& status, std::string_view what) {
  const auto detail = std::string(what) + ": " + status.ToString();
  if (status.IsCorruption()) {
    return fail(ErrorKind::kCorrupt, "view-corrupt", "the view is damaged", detail);
  }
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "the view can't be used",
                        detail);
}

Result<std::optional<std::string>> get(rocksdb::DB& db, std::string_view key) {
  std::string value;
  const auto status = db.Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return to_failure(status, "get");
  return value;
}

Result<void> scan(rocksdb::DB& db, std::string_view prefix, std::string_view from,
                  const KeyValueReader::Visit& visit) {
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator(rocksdb::ReadOptions()));
  for (at->Seek(slice(from)); at->Valid() && view(at->key()).starts_with(prefix); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) return {};
  }
  if (!at->status().ok()) return to_failure(at->status(), "scan");
  return {};
}

}  // namespace thumb::rocks
