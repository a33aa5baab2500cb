#include "processor/image/jpeg/jpeg_eighth.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "processor/image/jpeg/jpeg_huffman.h"
#include "processor/image/jpeg/jpeg_scan.h"

namespace thumb {
namespace {

constexpr std::uint32_t kBlock = 8;          // samples a side
constexpr std::uint32_t kMaxMcuBlocks = 10;  // T.81, B.2.3
constexpr std::int32_t kMaxDc = 32'767;      // what a coefficient of libjpeg holds

std::uint32_t parts_of(std::uint32_t whole, std::uint32_t part) {
  return (whole + part - 1) / part;
}

std::uint8_t level(std::int32_t value) {
  if (static_cast<std::uint32_t>(value) > 255) [[unlikely]]
    return value < 0 ? 0 : 255;
  return static_cast<std::uint8_t>(value);
}

// The means of one component's blocks.
class Plane {
 public:
  // `blocks`: how many the scan holds.
  Plane(const BlockCodes& codes, const JpegComponent& component, PixelSize blocks)
      : codes_(codes),
        across_(component.across),
        down_(component.down),
        quantizer_(component.quantizers[0]),
        width_(blocks.width),
        means_(std::size_t{blocks.width} * blocks.height) {}

  void restart() { dc_ = 0; }

  // The component's blocks of one MCU.
  [[nodiscard]] bool read_mcu(BitReader& bits, std::uint32_t mcu_x, std::uint32_t mcu_y) {
    for (std::uint32_t y = mcu_y * down_; y < (mcu_y + 1) * down_; ++y) {
      for (std::uint32_t x = mcu_x * across_; x < (mcu_x + 1) * across_; ++x) {
        const std::int32_t difference = codes_.next(bits);
        if (difference == BlockCodes::kNonsense || bits.left_bits() < 0) return false;
        dc_ += difference;
        if (std::abs(dc_) > kMaxDc) return false;
        means_[std::size_t{y} * width_ + x] = level(((dc_ * quantizer_ + 4) >> 3) + 128);
      }
    }
    return true;
  }

  [[nodiscard]] const std::uint8_t* row(std::uint32_t y) const {
    return means_.data() + std::size_t{y} * width_;
  }

 private:
  BlockCodes codes_;
  std::uint32_t across_;
  std::uint32_t down_;
  std::int32_t quantizer_;
  std::int32_t dc_ = 0;
  std::uint32_t width_;
  std::vector<std::uint8_t> means_;
};

// How the components' blocks are interleaved (T.81, A.2). Colours have as many blocks as the
// brightness has, or half as many each way.
struct Layout {
  PixelSize mcus;
  std::uint32_t colour_across = 1;  // blocks of brightness for one of colour
  std::uint32_t colour_down = 1;
};

std::optional<Layout> layout_of(const JpegHead& head) {
  const auto& [luma, blue, red] = head.components;
  const bool alike = blue.across == red.across && blue.down == red.down;
  const bool whole = luma.across % blue.across == 0 && luma.down % blue.down == 0;
  const auto blocks = luma.across * luma.down + 2 * blue.across * blue.down;
  const Layout layout{{parts_of(head.size.width, kBlock * luma.across),
                       parts_of(head.size.height, kBlock * luma.down)},
                      luma.across / blue.across,
                      luma.down / blue.down};
  if (!alike || !whole || blocks > kMaxMcuBlocks || layout.colour_across > 2 ||
      layout.colour_down > 2)
    return std::nullopt;
  return layout;
}

using Planes = std::vector<Plane>;  // Y, Cb, Cr

std::optional<Planes> planes_for(const JpegHead& head, const Layout& layout) {
  Planes planes;
  for (const auto& component : head.components) {
    auto codes = BlockCodes::from(component.dc, component.ac);
    if (!codes) return std::nullopt;
    planes.emplace_back(
        *codes, component,
        PixelSize{layout.mcus.width * component.across, layout.mcus.height * component.down});
  }
  return planes;
}

// False if anything is odd.
bool read_scan(ByteView scan_bytes, const JpegHead& head, PixelSize mcus, Planes& planes) {
  JpegScan scan(scan_bytes);
  const std::uint32_t all = mcus.width * mcus.height;
  const std::uint32_t step = head.restart_interval == 0 ? all : head.restart_interval;
  for (std::uint32_t mcu = 0; mcu < all;) {
    const auto interval = scan.next_interval();
    if (!interval) return false;
    BitReader bits(*interval);
    for (auto& plane : planes) plane.restart();
    for (const std::uint32_t end = std::min(all, mcu + step); mcu < end; ++mcu) {
      for (auto& plane : planes) {
        if (!plane.read_mcu(bits, mcu % mcus.width, mcu / mcus.width)) return false;
      }
    }
    if (bits.left_bits() >= 8) return false;  // more than what fills up the last byte
  }
  return scan.ended();
}

// ITU-T T.871, section 7, in fixed point.
constexpr int kFraction = 16;  // bits
constexpr int kHalf = 1 << (kFraction - 1);
// REQUIRES: factor >= 0. std::lround is not constexpr.
// NOLINTNEXTLINE(bugprone-incorrect-roundings)
constexpr int fixed(double factor) { return static_cast<int>(factor * (1 << kFraction) + 0.5); }
constexpr int kRedOfCr = fixed(1.402);
constexpr int kGreenOfCb = fixed(0.344136);
constexpr int kGreenOfCr = fixed(0.714136);
constexpr int kBlueOfCb = fixed(1.772);

RgbPicture coloured(const Planes& planes, PixelSize size, const Layout& layout) {
  RgbPicture picture{size, std::vector<std::uint8_t>(std::size_t{3} * size.width * size.height)};
  const std::uint32_t shift = layout.colour_across - 1;
  std::uint8_t* to = picture.rgb.data();
  for (std::uint32_t y = 0; y < size.height; ++y) {
    const std::uint8_t* luma = planes[0].row(y);
    const std::uint8_t* blue = planes[1].row(y / layout.colour_down);
    const std::uint8_t* red = planes[2].row(y / layout.colour_down);
    for (std::uint32_t x = 0; x < size.width; ++x, to += 3) {
      const int cb = blue[x >> shift] - 128;
      const int cr = red[x >> shift] - 128;
      to[0] = level(luma[x] + ((kRedOfCr * cr + kHalf) >> kFraction));
      to[1] = level(luma[x] + ((kHalf - kGreenOfCb * cb - kGreenOfCr * cr) >> kFraction));
      to[2] = level(luma[x] + ((kBlueOfCb * cb + kHalf) >> kFraction));
    }
  }
  return picture;
}

}  // namespace

std::optional<RgbPicture> jpeg_eighth(ByteView file, const JpegHead& head) {
  const auto layout = layout_of(head);
  if (!layout) return std::nullopt;
  auto planes = planes_for(head, *layout);
  if (!planes || !read_scan(file.subspan(head.scan_at), head, layout->mcus, *planes)) {
    return std::nullopt;
  }
  const PixelSize size{parts_of(head.size.width, kBlock), parts_of(head.size.height, kBlock)};
  return coloured(*planes, size, *layout);
}

}  // namespace thumb
