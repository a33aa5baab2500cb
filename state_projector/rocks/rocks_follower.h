// The view on disk, as other processes follow it while its writer writes (a secondary instance).
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "state_projector/key_value_store.h"
#include "state_projector/scratch_folder.h"

namespace rocksdb {
class DB;
}

namespace thumb {

// Reads are thread-safe, also while catch_up() runs; catch_up is for one thread at a time.
//
// What holds: after a catch_up that said kCurrent (and after open) the follower shows every batch
// that was written before the call, each whole. During a catch_up a reader may see some of the
// newer batches and not others, but no key ever goes back to an older value. Whoever needs "row at
// least as new as position" takes the positions after a catch_up and the row later.
//
// A secondary of RocksDB goes on giving old values of keys whose newer ones the writer has moved
// from the WAL to a table file before the secondary read them there (facebook/rocksdb issues 14444
// and 15051; so in 7.8). The writer begins a new WAL before it moves anything out of the last one;
// so a follower is bound to the WAL that was newest when it was opened. When there is a newer one,
// catch_up says kReplace, and a follower opened anew takes over.
class RocksFollower final : public KeyValueReader {
 public:
  enum class CaughtUp { kCurrent, kReplace };

  // kNotFound/"view-gone" if there is no such view; kUnavailable (back off) if the writer's files
  // changed faster than they could be read.
  [[nodiscard]] static Result<std::shared_ptr<RocksFollower>> open(
      const std::filesystem::path& folder);
  ~RocksFollower() override;

  // True if the writer's files have changed since the last catch-up: two system calls.
  [[nodiscard]] bool behind() const;
  [[nodiscard]] Result<CaughtUp> catch_up();

  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override;
  [[nodiscard]] Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const override;
  [[nodiscard]] Result<void> scan(std::string_view prefix, std::string_view from,
                                  const Visit& visit) const override;

 private:
  // What tells a changed folder from an unchanged one.
  struct Trace {
    std::int64_t folder_changed_ns = -1;
    std::int64_t newest_wal_bytes = -1;
    friend bool operator==(const Trace&, const Trace&) = default;
  };

  RocksFollower(std::filesystem::path folder, ScratchFolder info_log,
                std::unique_ptr<rocksdb::DB> db, std::string newest_wal, Trace trace);
  [[nodiscard]] static Result<std::shared_ptr<RocksFollower>> open_once(
      const std::filesystem::path& folder, bool& files_vanished);
  [[nodiscard]] static Trace trace_of(const std::filesystem::path& folder,
                                      const std::string& newest_wal);

  const std::filesystem::path folder_;
  const ScratchFolder info_log_;
  const std::unique_ptr<rocksdb::DB> db_;
  const std::string newest_wal_;
  Trace trace_;
};

}  // namespace thumb
