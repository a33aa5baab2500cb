// The bits of a stored row (docs/view_format.md), for the two that read it: the codec and the
// digest's cutter. Private to schemas/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "schemas/byte_codec.h"
#include "schemas/row.h"

namespace thumb::row_form {

// Bits of a row's part byte.
inline constexpr std::uint8_t kHasUpload = 1;
inline constexpr std::uint8_t kHasPersonal = 2;
inline constexpr std::uint8_t kHasDeletion = 4;
inline constexpr std::uint8_t kHasPrivateOffset = 8;  // of the upload
inline constexpr std::uint8_t kRowBits = 15;

// Bits of a request's part byte.
inline constexpr std::uint8_t kHasAsked = 1;
inline constexpr std::uint8_t kHasStarted = 2;
inline constexpr std::uint8_t kHasCompleted = 4;
inline constexpr std::uint8_t kHasFailed = 8;
inline constexpr std::uint8_t kIdOfImage = 16;  // the upload's request: its id is left out
inline constexpr std::uint8_t kRequestBits = 31;

// Bits of a blob's byte: what of its key and digest need not be spelled out.
inline constexpr std::uint8_t kRawDigest = 1;    // 64 hex digits as 32 bytes
inline constexpr std::uint8_t kUsualFolder = 2;  // the key starts with the image's prefix
inline constexpr std::uint8_t kUsualEnding = 4;  // the key ends in the digest
inline constexpr std::uint8_t kBlobBits = 7;

inline constexpr std::size_t kDigestBytes = 32;

// Past the version byte. kCorrupt/"row-version" if it is another one.
[[nodiscard]] Result<ByteReader> begin_row(std::string_view bytes);
// kCorrupt/"corrupt-row".
[[nodiscard]] Failure damaged_row(const ImageId& id);

}  // namespace thumb::row_form
