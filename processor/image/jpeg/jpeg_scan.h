// The entropy-coded bytes of a JPEG scan, cut at its restart markers and freed of stuffing (T.81,
// B.1.1.5 and F.1.2.3). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "platform/bytes.h"

namespace thumb {

class JpegScan {
 public:
  // `scan` begins after the scan's header and may go on past its end.
  explicit JpegScan(ByteView scan) : rest_(scan) {}

  // The next interval, padded for a BitReader; lives until the next call. Nothing if what ends the
  // interval is neither the restart marker that is due nor the end of the image.
  [[nodiscard]] std::optional<std::span<const std::uint8_t>> next_interval();
  // True once the end of the image was met.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  ByteView rest_;
  std::vector<std::uint8_t> interval_;
  std::uint32_t restart_due_ = 0;  // 0 to 7
  bool ended_ = false;
};

}  // namespace thumb
