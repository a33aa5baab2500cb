// BlobStore on a local file system: temp file, fsync, rename, fsync of the folder.
//
// Layout below the root: `objects/<shard>/<key…>` and `staging/` for what is not committed yet.
// The shard is two hex digits of a hash of the key's second segment (the image id), so that no
// folder grows past thousands of entries and all blobs of an image stand together.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>

#include "platform/blob_lister.h"
#include "platform/blob_store.h"

namespace thumb {

class FsBlobStore final : public BlobStore, public BlobLister {
 public:
  // Creates the folders and proves that they can be written. What lies in staging from a crash and
  // is older than an hour is removed. Several processes may share one root.
  [[nodiscard]] static Result<std::unique_ptr<FsBlobStore>> open_root(
      const std::filesystem::path& root);
  // The same, but creates and removes nothing: as long as the folders are not there, since their
  // disk is not mounted, say, every call is passing trouble.
  [[nodiscard]] static Result<std::unique_ptr<FsBlobStore>> open_existing(
      std::filesystem::path root);
  [[nodiscard]] static bool is_there(const std::filesystem::path& root);

  [[nodiscard]] Result<std::unique_ptr<BlobWriter>> create() override;
  [[nodiscard]] Result<std::unique_ptr<BlobReader>> open(std::string_view key) override;
  [[nodiscard]] Result<void> remove_all(std::string_view prefix) override;
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view prefix) override;

  // Where a key's bytes lie on this machine.
  [[nodiscard]] Result<std::filesystem::path> path_of(std::string_view key) const;

 private:
  friend class FsBlobWriter;
  explicit FsBlobStore(std::filesystem::path root) : root_(std::move(root)) {}
  // Creates `folder` and all above it but the store's own, each entry durable in its parent.
  [[nodiscard]] Result<void> make_folder(const std::filesystem::path& folder);
  [[nodiscard]] Result<void> make_shared_folder(const std::filesystem::path& folder);
  // The store is there, so a blob that is not has been removed. Error: kUnavailable (back off).
  [[nodiscard]] Result<void> require_objects() const;

  std::filesystem::path root_;
  std::mutex mutex_;
  // Folders that hold many images' folders and are known to be durable: fsynced once a process.
  std::set<std::filesystem::path> durable_;
};

}  // namespace thumb
