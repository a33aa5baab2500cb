// SHA-256, incrementally: blobs are named by it, and the view's digest is one.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "platform/bytes.h"

namespace thumb {

using Sha256Bytes = std::array<std::byte, 32>;

// Not thread-safe; one per stream of bytes. Movable.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  // The digest of all bytes so far. REQUIRES: called once; the object is spent afterwards.
  [[nodiscard]] Sha256Bytes finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] Sha256Bytes sha256(ByteView bytes);
[[nodiscard]] std::string sha256_hex(ByteView bytes);  // 64 lower-case hex digits

}  // namespace thumb
