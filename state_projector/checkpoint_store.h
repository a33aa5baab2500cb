// Checkpoints of views in the blob store: written file by file, the manifest last; read back only
// if every byte is what the manifest says.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "platform/blob_lister.h"
#include "platform/blob_store.h"
#include "platform/log.h"
#include "state_projector/checkpoint_manifest.h"

namespace thumb {

// Thread-safe. All references must outlive it. Errors are those of the stores (kUnavailable, back
// off) and kUnavailable/"stopped".
class CheckpointStore {
 public:
  CheckpointStore(BlobStore& blobs, BlobLister& lister, Log& log)
      : blobs_(blobs), lister_(lister), log_(log) {}

  // Stores what lies in `folder`, which nobody changes meanwhile; `manifest` says of which view it
  // is, its files are filled in. Gives the checkpoint's prefix. Nothing counts before the end.
  [[nodiscard]] Result<std::string> save(const std::filesystem::path& folder,
                                         CheckpointManifest manifest, const std::stop_token& stop);

  // Why a checkpoint is not wanted; empty if it is.
  using Objection = std::function<std::string(const CheckpointManifest&)>;
  // Puts the newest good checkpoint of the shelf that nothing speaks against into `folder`, which
  // is made. Damaged, cut and unwanted ones are passed over, with a line in the log. Empty if there
  // is none; `folder` is then not there.
  [[nodiscard]] Result<std::optional<CheckpointManifest>> restore(
      const std::string& shelf, const Objection& objection, const std::filesystem::path& folder,
      const std::stop_token& stop);

  // Removes all but the newest `keep`.
  [[nodiscard]] Result<void> prune(const std::string& shelf, std::size_t keep);
  // The same for those of lower row versions, which nothing reads any more but a program that is
  // gone back to: of the highest version that has one, the newest stays, and nothing else.
  [[nodiscard]] Result<void> prune_older_versions(std::uint8_t row_version,
                                                  const std::string& cluster_id);

 private:
  // How many finished ones are left.
  [[nodiscard]] Result<std::size_t> keep_newest(const std::string& shelf, std::size_t keep);
  [[nodiscard]] Result<CheckpointFile> save_file(const std::filesystem::path& file,
                                                 const std::string& prefix,
                                                 const std::stop_token& stop);
  [[nodiscard]] Result<CheckpointManifest> read_manifest(const StoredCheckpoint& stored);
  [[nodiscard]] Result<void> restore_files(const CheckpointManifest& manifest,
                                           const std::string& prefix,
                                           const std::filesystem::path& folder,
                                           const std::stop_token& stop);
  [[nodiscard]] Result<void> restore_file(const CheckpointFile& file, const std::string& prefix,
                                          const std::filesystem::path& folder,
                                          const std::stop_token& stop);

  BlobStore& blobs_;
  BlobLister& lister_;
  Log& log_;
};

}  // namespace thumb
