// One file on its way in: its bytes go to a staged blob and through SHA-256 as they come.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/blob_store.h"
#include "platform/digest.h"
#include "platform/text.h"

namespace thumb::ingest {

// A file whose bytes are all there, not yet committed; destroying it discards them.
struct StagedFile {
  std::unique_ptr<BlobWriter> blob;
  std::string sha256;  // 64 lower-case hex digits
  std::uint64_t bytes = 0;
  std::string filename;  // as clean_filename() left it; empty if there is none
};

// Not thread-safe; one per file. Movable.
class FileStager {
 public:
  // The store's errors (kUnavailable, back off).
  [[nodiscard]] static Result<FileStager> open(BlobStore& store) {
    return store.create().map([](auto blob) { return FileStager(std::move(blob)); });
  }

  [[nodiscard]] Result<void> write(ByteView bytes) {
    digest_.update(bytes);
    bytes_ += bytes.size();
    return blob_->write(bytes);
  }

  // REQUIRES: called once, last.
  [[nodiscard]] StagedFile finish(std::string filename) {
    return {std::move(blob_), to_hex(digest_.finish()), bytes_, std::move(filename)};
  }

 private:
  explicit FileStager(std::unique_ptr<BlobWriter> blob) : blob_(std::move(blob)) {}

  std::unique_ptr<BlobWriter> blob_;
  Sha256 digest_;
  std::uint64_t bytes_ = 0;
};

}  // namespace thumb::ingest
