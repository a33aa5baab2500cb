// The two whole-blob conveniences over the BlobStore port.
#include "platform/blob_store.h"

namespace thumb {

Result<std::string> read_all(const BlobReader& blob, std::uint64_t limit_bytes) {
  if (blob.size_bytes() > limit_bytes) {
    return fail(ErrorKind::kTooLarge, "blob-too-large",
                "the blob has more bytes than the limit of " + std::to_string(limit_bytes));
  }
  std::string bytes(blob.size_bytes(), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto rest = std::as_writable_bytes(std::span(bytes)).subspan(filled);
    const auto got = blob.read_at(filled, rest);
    if (!got) return Failure(got.error());
    if (*got == 0) return fail(ErrorKind::kCorrupt, "blob-cut-short", "the blob ended early");
    filled += *got;
  }
  return bytes;
}

Result<void> put(BlobStore& store, std::string_view key, ByteView bytes) {
  auto writer = store.create();
  if (!writer) return Failure(writer.error());
  if (auto written = (*writer)->write(bytes); !written) return written;
  return (*writer)->commit(key);
}

}  // namespace thumb
