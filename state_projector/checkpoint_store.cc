#include "state_projector/checkpoint_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <system_error>
#include <vector>

#include "platform/digest.h"
#include "platform/failpoint.h"
#include "platform/file_io.h"
#include "platform/on_threads.h"
#include "platform/text.h"

namespace thumb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{16} << 20U;
// That restore files at once: hashing takes a CPU, and fsync waits.
constexpr std::size_t kRestorers = 4;

Failure damaged(const std::string& what) {
  return fail(ErrorKind::kCorrupt, "corrupt-checkpoint", "the checkpoint is damaged", what);
}

Result<std::vector<fs::path>> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    files.push_back(at->path());
  }
  if (error) return io_failure("list " + folder.string(), error.value());
  std::ranges::sort(files);
  return files;
}

// A damaged or missing part means this checkpoint is no good; trouble with the store means nothing.
bool is_its_own_fault(const Error& error) {
  return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kNotFound ||
         error.kind == ErrorKind::kTooLarge;
}

}  // namespace

Result<std::string> CheckpointStore::save(const fs::path& folder, CheckpointManifest manifest,
                                          const std::stop_token& stop) {
  const auto prefix = checkpoint_shelf(manifest.row_version, manifest.cluster_id) + "/" +
                      checkpoint_name(manifest.made_at, manifest.view_id);
  const auto files = files_in(folder);
  if (!files) return Failure(files.error());
  manifest.files.clear();
  for (const auto& path : *files) {
    auto file = save_file(path, prefix, stop);
    if (!file) return Failure(std::move(file.error()));
    manifest.files.push_back(std::move(*file));
  }
  const auto text = encode_manifest(manifest);
  if (auto put_last = put(blobs_, prefix + "/" + manifest_name(text), as_bytes(text)); !put_last) {
    return Failure(std::move(put_last.error()));
  }
  return prefix;
}

Result<CheckpointFile> CheckpointStore::save_file(const fs::path& path, const std::string& prefix,
                                                  const std::stop_token& stop) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return io_failure("open " + path.string(), errno);
  auto blob = blobs_.create();
  if (!blob) return Failure(std::move(blob.error()));
  CheckpointFile file{path.filename().string(), 0, {}};
  Sha256 hash;
  std::vector<std::byte> piece(kPieceBytes);
  while (true) {
    if (stop.stop_requested()) return told_to_stop();
    const auto got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure("read " + path.string(), errno);
    if (got == 0) break;
    const auto bytes = ByteView(piece).first(static_cast<std::size_t>(got));
    hash.update(bytes);
    file.bytes += bytes.size();
    if (auto written = (*blob)->write(bytes); !written) return Failure(std::move(written.error()));
  }
  file.sha256 = to_hex(hash.finish());
  if (auto done = (*blob)->commit(prefix + "/" + file.name); !done) {
    return Failure(std::move(done.error()));
  }
  return file;
}

Result<std::optional<CheckpointManifest>> CheckpointStore::restore(const std::string& shelf,
                                                                   const Objection& objection,
                                                                   const fs::path& folder,
                                                                   const std::stop_token& stop) {
  const auto keys = lister_.list(shelf);
  if (!keys) return Failure(keys.error());
  for (const auto& stored : stored_checkpoints(shelf, *keys)) {
    if (stored.manifest_key.empty()) {
      log_.warn("checkpoint passed over",
                {{"checkpoint", stored.prefix}, {"reason", "unfinished"}});
      continue;
    }
    auto manifest = read_manifest(stored);
    auto outcome = manifest ? Result<void>() : Failure(manifest.error());
    if (manifest) {
      if (const auto why = objection(*manifest); !why.empty()) {
        log_.warn("checkpoint passed over", {{"checkpoint", stored.prefix}, {"reason", why}});
        continue;
      }
      outcome = restore_files(*manifest, stored.prefix, folder, stop);
    }
    if (outcome) return std::optional(std::move(*manifest));
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    if (!is_its_own_fault(outcome.error())) return Failure(outcome.error());
    log_.warn("checkpoint passed over",
              {{"checkpoint", stored.prefix}, {"reason", outcome.error().detail}});
  }
  return std::nullopt;
}

Result<CheckpointManifest> CheckpointStore::read_manifest(const StoredCheckpoint& stored) {
  const auto blob = blobs_.open(stored.manifest_key);
  if (!blob) return Failure(blob.error());
  const auto text = read_all(**blob, kMaxManifestBytes);
  if (!text) return Failure(text.error());
  if (sha256_hex(as_bytes(*text)) != stored.manifest_sha256) {
    return damaged("the manifest is not what its name says");
  }
  return decode_manifest(*text);
}

Result<void> CheckpointStore::restore_files(const CheckpointManifest& manifest,
                                            const std::string& prefix, const fs::path& folder,
                                            const std::stop_token& stop) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return io_failure("make " + folder.string(), error.value());
  // The largest first: else the last thread would be at it when the others have done.
  auto files = manifest.files;
  std::ranges::sort(files, std::greater(), &CheckpointFile::bytes);
  std::atomic<std::size_t> next{0};
  const auto take_files = [&](std::size_t, const std::stop_token& told) -> Result<void> {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      if (auto restored = restore_file(files[i], prefix, folder, told); !restored) return restored;
      failpoint("rebuild.after-file");
    }
    return {};
  };
  if (auto restored = on_threads(kRestorers, stop, take_files); !restored) return restored;
  return fsync_directory(folder);
}

Result<void> CheckpointStore::restore_file(const CheckpointFile& file, const std::string& prefix,
                                           const fs::path& folder, const std::stop_token& stop) {
  const auto blob = blobs_.open(prefix + "/" + file.name);
  if (!blob && blob.error().kind == ErrorKind::kNotFound) return damaged(file.name + " is missing");
  if (!blob) return Failure(blob.error());
  if ((*blob)->size_bytes() != file.bytes) return damaged(file.name + " has another size");
  const auto path = folder / file.name;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return io_failure("make " + path.string(), errno);
  Sha256 hash;
  std::vector<std::byte> piece(kPieceBytes);
  for (std::uint64_t offset = 0;;) {
    if (stop.stop_requested()) return told_to_stop();
    const auto got = (*blob)->read_at(offset, piece);
    if (!got) return Failure(got.error());
    if (*got == 0) break;
    const auto bytes = ByteView(piece).first(*got);
    hash.update(bytes);
    offset += *got;
    if (auto written = write_fully(fd.get(), bytes); !written) return written;
    // On its way to the disk while the next piece is hashed: fsync finds little left to do.
    ::sync_file_range(fd.get(), static_cast<off_t>(offset - *got), static_cast<off_t>(*got),
                      SYNC_FILE_RANGE_WRITE);
  }
  if (to_hex(hash.finish()) != file.sha256) return damaged(file.name + " has another SHA-256");
  if (::fsync(fd.get()) != 0) return io_failure("fsync " + path.string(), errno);
  return {};
}

Result<void> CheckpointStore::prune(const std::string& shelf, std::size_t keep) {
  return keep_newest(shelf, keep).map([](std::size_t) {});
}

Result<void> CheckpointStore::prune_older_versions(std::uint8_t row_version,
                                                   const std::string& cluster_id) {
  std::size_t wanted = 1;
  for (auto version = row_version; version-- > 0;) {
    const auto kept = keep_newest(checkpoint_shelf(version, cluster_id), wanted);
    if (!kept) return Failure(kept.error());
    wanted -= *kept;
  }
  return {};
}

Result<std::size_t> CheckpointStore::keep_newest(const std::string& shelf, std::size_t keep) {
  const auto keys = lister_.list(shelf);
  if (!keys) return Failure(keys.error());
  const auto stored = stored_checkpoints(shelf, *keys);
  for (const auto& outdated : outdated_checkpoints(stored, keep)) {
    if (auto removed = blobs_.remove_all(outdated.prefix); !removed) {
      return Failure(std::move(removed.error()));
    }
  }
  const auto finished = std::ranges::count_if(
      stored, [](const StoredCheckpoint& one) { return !one.manifest_key.empty(); });
  return std::min(keep, static_cast<std::size_t>(finished));
}

}  // namespace thumb
