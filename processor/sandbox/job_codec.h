// A job and its answer as bytes. The answer comes from a process that an image may have taken over,
// so decoding it checks everything. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/bytes.h"
#include "platform/result.h"
#include "processor/ports.h"

namespace thumb {

struct DecodeJob {
  std::uint64_t original_bytes = 0;  // they lie at the start of the input area
  MakeLimits limits;
  std::vector<VariantSpec> variants;
  friend bool operator==(const DecodeJob&, const DecodeJob&) = default;
};

[[nodiscard]] std::string encode_job(const DecodeJob& job);
// kCorrupt/"bad-message".
[[nodiscard]] Result<DecodeJob> decode_job(ByteView bytes);

// Digests are left out: the reader works them out itself.
[[nodiscard]] std::string encode_answer(const Result<MadeThumbnails>& answer);

// What the worker answered to `job`. An error of the outer Result (kCorrupt/"bad-message") says
// that it is no answer to that job: wrong variants, sizes past their box, bytes of another format,
// a code that is not an image's fault, a message that is no plain text.
[[nodiscard]] Result<Result<MadeThumbnails>> decode_answer(ByteView bytes, const DecodeJob& job);

}  // namespace thumb
