#include "state_projector/rocks/rocks_run.h"

#include <system_error>
#include <utility>

#include "state_projector/rocks/rocks_reads.h"

namespace thumb {
namespace {

// The kernel begins to write each megabyte as it comes: what is left for the sync at the end, which
// nothing can interrupt, is little however large the file is.
rocksdb::EnvOptions written_as_it_grows() {
  rocksdb::EnvOptions options;
  options.bytes_per_sync = std::uint64_t{1} << 20U;
  return options;
}

// RocksDB takes the pages of a file that it writes for others out of the page cache. This one is
// read as soon as the view serves, by whoever asks for an image: from the disk, if the pages were
// gone.
constexpr bool kForgetPages = false;

}  // namespace

RocksRun::RocksRun(const rocksdb::Options& options, const std::filesystem::path& name)
    : name_(name.string()),
      file_bytes_(options.target_file_size_base),
      writer_(written_as_it_grows(), options, nullptr, kForgetPages) {}

Result<std::unique_ptr<SortedRun>> RocksRun::begin(const rocksdb::Options& options,
                                                   const std::filesystem::path& name) {
  std::unique_ptr<RocksRun> run(new RocksRun(options, name));
  if (auto begun = run->begin_file(); !begun) return Failure(std::move(begun.error()));
  return std::unique_ptr<SortedRun>(std::move(run));
}

RocksRun::~RocksRun() {
  std::error_code gone;
  for (const auto& file : files_) std::filesystem::remove(file, gone);
}

Result<void> RocksRun::begin_file() {
  files_.push_back(name_ + "-" + std::to_string(files_.size()));
  const auto status = writer_.Open(files_.back());
  if (!status.ok()) return rocks::to_failure(status, "begin a run");
  return {};
}

Result<void> RocksRun::add(std::string_view key, std::string_view value) {
  if (!empty_ && writer_.FileSize() >= file_bytes_) {
    if (auto closed = finish(); !closed) return Failure(std::move(closed.error()));
    if (auto begun = begin_file(); !begun) return begun;
  }
  const auto status = writer_.Put(rocksdb::Slice(key.data(), key.size()),
                                  rocksdb::Slice(value.data(), value.size()));
  if (!status.ok()) return rocks::to_failure(status, "add to a run");
  empty_ = false;
  return {};
}

Result<std::vector<std::string>> RocksRun::finish() {
  if (empty_) return std::vector<std::string>();
  const auto status = writer_.Finish();
  if (!status.ok()) return rocks::to_failure(status, "finish a run");
  return files_;
}

}  // namespace thumb
