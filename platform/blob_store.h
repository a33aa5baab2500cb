// Port: where originals and thumbnails live. Events carry keys, never bytes (claim check).
//
// Keys are '/'-separated segments of [A-Za-z0-9._-], none empty, "." or "..", at most 512 bytes;
// anything else is ErrorKind::kInvalid. A key is written once; since keys end in their content's
// SHA-256, writing one again stores the same bytes and is a success.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "platform/bytes.h"
#include "platform/result.h"

namespace thumb {

// An open blob. Reading may happen from any one thread. The bytes stay readable after a removal.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
  // Up to `out.size()` bytes from `offset`; 0 at the end.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> out) const = 0;
};

// Bytes on their way in, invisible until commit(). Destroying it without commit discards them.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  [[nodiscard]] virtual Result<void> write(ByteView bytes) = 0;
  // What was written so far, as one contiguous view (for inspection before a commit).
  // The view dies with the writer or at the next write.
  [[nodiscard]] virtual Result<ByteView> contents() = 0;
  // Makes the bytes durable and visible under `key`: on success a crash can no longer lose them.
  // The name is chosen here because it ends in the digest of what was written.
  [[nodiscard]] virtual Result<void> commit(std::string_view key) = 0;
};

// Thread-safe. Errors: kNotFound/blob-not-found (never retry), kUnavailable (disk full, I/O: back
// off).
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<BlobWriter>> create() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<BlobReader>> open(std::string_view key) = 0;
  // Removes every blob whose key starts with `prefix` + '/'. Absent ones are a success: a delete
  // may be repeated after a crash.
  [[nodiscard]] virtual Result<void> remove_all(std::string_view prefix) = 0;
};

// The whole blob; refuses past `limit_bytes` (kTooLarge).
[[nodiscard]] Result<std::string> read_all(const BlobReader& blob, std::uint64_t limit_bytes);

// Writes `bytes` durably under `key`.
[[nodiscard]] Result<void> put(BlobStore& store, std::string_view key, ByteView bytes);

}  // namespace thumb
