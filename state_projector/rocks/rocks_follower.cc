// RocksDB as a secondary instance. It reads MANIFEST, table files and WALs one after the other
// while the writer may delete any of them; what was listed before and is gone after marks a torn
// reading.
#include "state_projector/rocks/rocks_follower.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "state_projector/rocks/rocks_reads.h"

namespace thumb {
namespace {

// Each round is needed only if a flush or compaction ended within the one before it.
constexpr int kMaxRounds = 8;

using Names = std::set<std::string>;

Names data_files(const std::filesystem::path& folder) {
  Names names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const auto extension = at->path().extension();
    if (extension == ".log" || extension == ".sst") names.insert(at->path().filename().string());
  }
  return names;
}

// Names have six digits and more; the numbers only grow, so the longest and last is the newest.
std::string newest_wal_of(const Names& files) {
  std::string newest;
  for (const auto& name : files) {
    if (!name.ends_with(".log")) continue;
    if (std::pair(name.size(), name) > std::pair(newest.size(), newest)) newest = name;
  }
  return newest;
}

bool all_there(const Names& wanted, const Names& present) {
  return std::ranges::includes(present, wanted);
}

}  // namespace

RocksFollower::RocksFollower(std::filesystem::path folder, ScratchFolder info_log,
                             std::unique_ptr<rocksdb::DB> db, std::string newest_wal, Trace trace)
    : folder_(std::move(folder)),
      info_log_(std::move(info_log)),
      db_(std::move(db)),
      newest_wal_(std::move(newest_wal)),
      trace_(trace) {}

RocksFollower::~RocksFollower() = default;

Result<std::shared_ptr<RocksFollower>> RocksFollower::open(const std::filesystem::path& folder) {
  for (int round = 0; round < kMaxRounds; ++round) {
    bool files_vanished = false;
    auto opened = open_once(folder, files_vanished);
    if (!files_vanished) return opened;
  }
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable",
                        "the view changes too fast to be read", folder.string());
}

Result<std::shared_ptr<RocksFollower>> RocksFollower::open_once(const std::filesystem::path& folder,
                                                                bool& files_vanished) {
  std::error_code error;
  if (!std::filesystem::exists(folder / "CURRENT", error)) {
    return fail(ErrorKind::kNotFound, "view-gone", "there is no such view", folder.string());
  }
  auto info_log = ScratchFolder::make(std::filesystem::temp_directory_path(error));
  if (!info_log) return Failure(std::move(info_log.error()));

  const auto before = data_files(folder);
  auto newest_wal = newest_wal_of(before);
  const auto trace = trace_of(folder, newest_wal);
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::OpenAsSecondary(rocks::view_options(), folder.string(),
                                                   info_log->path().string(), &raw);
  std::unique_ptr<rocksdb::DB> db(raw);
  files_vanished = !all_there(before, data_files(folder));
  if (!status.ok()) return rocks::to_failure(status, "open " + folder.string());
  return std::shared_ptr<RocksFollower>(
      new RocksFollower(folder, std::move(*info_log), std::move(db), std::move(newest_wal), trace));
}

RocksFollower::Trace RocksFollower::trace_of(const std::filesystem::path& folder,
                                             const std::string& newest_wal) {
  Trace trace;
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0) {
    trace.folder_changed_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  }
  if (::stat((folder / newest_wal).c_str(), &info) == 0) {
    trace.newest_wal_bytes = info.st_size;
  }
  return trace;
}

bool RocksFollower::behind() const { return !(trace_of(folder_, newest_wal_) == trace_); }

Result<RocksFollower::CaughtUp> RocksFollower::catch_up() {
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto before = data_files(folder_);
    if (newest_wal_of(before) != newest_wal_) return CaughtUp::kReplace;
    const auto trace = trace_of(folder_, newest_wal_);
    const auto status = db_->TryCatchUpWithPrimary();
    const auto after = data_files(folder_);
    if (newest_wal_of(after) != newest_wal_) return CaughtUp::kReplace;
    if (!status.ok()) return rocks::to_failure(status, "catch up with " + folder_.string());
    if (all_there(before, after)) {
      trace_ = trace;
      return CaughtUp::kCurrent;
    }
  }
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable",
                        "the view changes too fast to be followed", folder_.string());
}

Result<std::optional<std::string>> RocksFollower::get(std::string_view key) const {
  return rocks::get(*db_, key);
}

Result<std::vector<std::optional<std::string>>> RocksFollower::multi_get(
    std::span<const std::string> keys) const {
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (const auto& key : keys) {
    auto value = get(key);
    if (!value) return Failure(std::move(value.error()));
    values.push_back(std::move(*value));
  }
  return values;
}

Result<void> RocksFollower::scan(std::string_view prefix, std::string_view from,
                                 const Visit& visit) const {
  return rocks::scan(*db_, prefix, from, visit);
}

}  // namespace thumb
