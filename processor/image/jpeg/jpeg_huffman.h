// The Huffman codes of a JPEG's blocks (T.81, annex F), for a reader who wants the DC coefficient
// only: the others are skipped, several of them at one look into a table. Pure.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "processor/image/jpeg/jpeg_head.h"

namespace thumb {

// Bits, from the highest of each byte.
class BitReader {
 public:
  // More than the largest block and what is loaded ahead: 64 codes of 16 bits, each with 15 more.
  static constexpr std::size_t kPadBytes = 64 * 31 / 8 + 4 * sizeof(std::uint64_t);
  static constexpr std::uint32_t kRefilledBits = 56;

  // REQUIRES: `padded` outlives it; its last kPadBytes are zeros and no data.
  explicit BitReader(std::span<const std::uint8_t> padded)
      : at_(padded.data()), end_(padded.data() + padded.size() - kPadBytes) {}

  // Afterwards at least kRefilledBits may be dropped. Past the end there are kPadBytes of zeros.
  // (F. Giesen, "Reading bits in far too many ways", variant 4.)
  void refill() {
    std::uint64_t next = 0;
    std::memcpy(&next, at_, sizeof next);
    if constexpr (std::endian::native == std::endian::little) next = __builtin_bswap64(next);
    bits_ |= next >> count_;
    at_ += (63 - count_) >> 3U;
    count_ |= kRefilledBits;
  }
  // REQUIRES: 1 <= n <= 32, and so many are refilled.
  [[nodiscard]] std::uint32_t peek(std::uint32_t n) const {
    return static_cast<std::uint32_t>(bits_ >> (64 - n));
  }
  void drop(std::uint32_t n) {
    bits_ <<= n;
    count_ -= n;
  }
  // Of the data, not dropped yet; negative if more was dropped than there was.
  [[nodiscard]] std::ptrdiff_t left_bits() const {
    return (end_ - at_) * 8 + static_cast<std::ptrdiff_t>(count_);
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint64_t bits_ = 0;  // from the top: `count_` of them count, those below are right or zero
  std::uint32_t count_ = 0;
};

// One table of codes.
class HuffmanCodes {
 public:
  // Nothing if such codes can't be.
  [[nodiscard]] static std::optional<HuffmanCodes> from(const HuffmanSpec& spec);

  struct Code {
    std::uint8_t length = 0;  // 0: no code
    std::uint8_t symbol = 0;
  };
  static constexpr std::uint32_t kMaxLength = 16;
  // The code that `bits` begin with. REQUIRES: bits < 2^kMaxLength.
  [[nodiscard]] Code find(std::uint32_t bits) const;

 private:
  std::array<std::uint32_t, kMaxLength + 1> end_{};  // codes of [n] bits, widened, are below it
  std::array<std::int32_t, kMaxLength + 1>
      offset_{};  // index of a symbol less its code of [n] bits
  std::array<std::uint8_t, 256> symbols_{};
};

// The blocks of one component.
class BlockCodes {
 public:
  // Nothing if such codes can't be.
  [[nodiscard]] static std::optional<BlockCodes> from(const HuffmanSpec& dc, const HuffmanSpec& ac);

  static constexpr std::int32_t kNonsense = INT32_MAX;
  // Passes one block. Its DC coefficient is that of the block before and what this returns;
  // kNonsense if the bits mean nothing. In the header, so that `bits` stay in registers from block
  // to block: half of the time otherwise.
  [[nodiscard]] std::int32_t next(BitReader& bits) const {
    bits.refill();
    const Difference difference = differences_[bits.peek(kPeek)];
    std::int32_t value = difference.value;
    if (difference.bits != 0) [[likely]] {
      bits.drop(difference.bits);
    } else {
      const Passed passed = pass_dc(bits);
      bits = passed.bits;
      value = passed.result;
      bits.refill();
    }
    return skip_ac(bits) ? value : kNonsense;
  }

 private:
  static constexpr std::uint32_t kPlaces = 64;  // coefficients of a block
  static constexpr std::uint32_t kPeek = 10;    // tables of 2^10 stay in the first cache
  struct Difference {
    std::int16_t value = 0;
    std::uint16_t bits = 0;  // of code and value; 0: more than kPeek, or no code
  };
  // All AC coefficients that are whole within kPeek bits, packed for one load.
  struct Stretch {
    std::uint32_t packed = 0;
    [[nodiscard]] std::uint32_t bits() const { return packed & 0xFFU; }
    [[nodiscard]] std::uint32_t places() const { return packed >> 8U & 0xFFU; }  // that they take
    [[nodiscard]] bool ends_block() const { return packed >> 16U != 0; }
  };
  struct Passed {
    BitReader bits;
    std::int32_t result;
  };

  BlockCodes(const HuffmanCodes& dc, const HuffmanCodes& ac);
  [[nodiscard]] static Stretch stretch_of(std::uint32_t peeked,
                                          std::span<const HuffmanCodes::Code> ac_codes);

  // REQUIRES: kRefilledBits less kPeek.
  [[nodiscard]] bool skip_ac(BitReader& bits) const {
    constexpr std::uint32_t kLooks = BitReader::kRefilledBits / kPeek - 1;
    for (std::uint32_t place = 1; place < kPlaces;) {
      for (std::uint32_t look = 0; look < kLooks; ++look) {
        const Stretch stretch = stretches_[bits.peek(kPeek)];
        // A block that is full ends without a code for it: what follows is of the next block.
        if (place + stretch.places() >= kPlaces) [[unlikely]] {
          const Passed passed = pass_ac(bits, place);
          bits = passed.bits;
          place = static_cast<std::uint32_t>(passed.result);
          if (place > kPlaces) return false;
          break;
        }
        bits.drop(stretch.bits());
        if (stretch.ends_block()) return true;
        place += stretch.places();
      }
      bits.refill();
    }
    return true;
  }
  // One code by itself, of any length. The result of AC is the place after it: kPlaces at the
  // block's end, more if the bits mean nothing.
  [[nodiscard]] Passed pass_dc(BitReader bits) const;
  [[nodiscard]] Passed pass_ac(BitReader bits, std::uint32_t place) const;

  HuffmanCodes dc_;
  HuffmanCodes ac_;
  std::array<Difference, 1U << kPeek> differences_;
  std::array<Stretch, 1U << kPeek> stretches_;
};

}  // namespace thumb
