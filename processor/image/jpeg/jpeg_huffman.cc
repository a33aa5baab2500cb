#include "processor/image/jpeg/jpeg_huffman.h"

#include <algorithm>
#include <numeric>

namespace thumb {
namespace {

constexpr std::uint32_t kMaxValueBits = 15;

// An AC symbol: zeros before a coefficient, and the coefficient's bits (T.81, F.1.2.2).
struct RunSize {
  explicit RunSize(std::uint8_t symbol) : run(symbol >> 4U), size(symbol & 15U) {}
  [[nodiscard]] bool ends_block() const { return size == 0 && run != 15; }
  std::uint32_t run;
  std::uint32_t size;
};

// T.81, F.2.2.1: EXTEND.
std::int32_t extended(std::uint32_t raw, std::uint32_t size) {
  const auto value = static_cast<std::int32_t>(raw);
  const bool negative = size > 0 && raw < 1U << (size - 1);
  return negative ? value - (1 << size) + 1 : value;
}

}  // namespace

std::optional<HuffmanCodes> HuffmanCodes::from(const HuffmanSpec& spec) {
  HuffmanCodes codes;
  codes.symbols_ = spec.symbols;
  std::uint32_t code = 0;
  std::uint32_t index = 0;
  for (std::uint32_t length = 1; length <= kMaxLength; ++length) {
    const std::uint32_t count = spec.codes_of_length[length];
    codes.offset_[length] = static_cast<std::int32_t>(index) - static_cast<std::int32_t>(code);
    code += count;
    index += count;
    // No code is all ones (T.81, C.2).
    if (count > 0 && (code >= 1U << length || index > spec.symbols.size())) return std::nullopt;
    codes.end_[length] = code << (kMaxLength - length);
    code <<= 1U;
  }
  return codes;
}

HuffmanCodes::Code HuffmanCodes::find(std::uint32_t bits) const {
  for (std::uint32_t length = 1; length <= kMaxLength; ++length) {
    if (bits >= end_[length]) continue;
    const auto code = static_cast<std::int32_t>(bits >> (kMaxLength - length));
    const std::int32_t index = code + offset_[length];
    return {static_cast<std::uint8_t>(length), symbols_[static_cast<std::size_t>(index)]};
  }
  return {};
}

std::optional<BlockCodes> BlockCodes::from(const HuffmanSpec& dc, const HuffmanSpec& ac) {
  const auto symbols =
      std::accumulate(dc.codes_of_length.begin() + 1, dc.codes_of_length.end(), std::size_t{0});
  const bool are_sizes =
      std::all_of(dc.symbols.begin(), dc.symbols.begin() + std::min(symbols, dc.symbols.size()),
                  [](std::uint8_t symbol) { return symbol <= kMaxValueBits; });
  if (!are_sizes) return std::nullopt;
  const auto dc_codes = HuffmanCodes::from(dc);
  const auto ac_codes = HuffmanCodes::from(ac);
  if (!dc_codes || !ac_codes) return std::nullopt;
  return BlockCodes(*dc_codes, *ac_codes);
}

BlockCodes::BlockCodes(const HuffmanCodes& dc, const HuffmanCodes& ac) : dc_(dc), ac_(ac) {
  constexpr std::uint32_t kUnseen = HuffmanCodes::kMaxLength - kPeek;
  std::array<HuffmanCodes::Code, 1U << kPeek> ac_codes;
  for (std::uint32_t peeked = 0; peeked < ac_codes.size(); ++peeked) {
    ac_codes[peeked] = ac_.find(peeked << kUnseen);
    const auto code = dc_.find(peeked << kUnseen);
    const std::uint32_t bits = code.length + code.symbol;
    if (code.length == 0 || bits > kPeek) continue;
    const std::uint32_t raw = (peeked >> (kPeek - bits)) & ((1U << code.symbol) - 1);
    differences_[peeked] = {static_cast<std::int16_t>(extended(raw, code.symbol)),
                            static_cast<std::uint16_t>(bits)};
  }
  for (std::uint32_t peeked = 0; peeked < ac_codes.size(); ++peeked) {
    stretches_[peeked] = stretch_of(peeked, ac_codes);
  }
}

BlockCodes::Stretch BlockCodes::stretch_of(std::uint32_t peeked,
                                           std::span<const HuffmanCodes::Code> ac_codes) {
  std::uint32_t bits = 0;
  std::uint32_t places = 0;
  bool ends_block = false;
  while (!ends_block) {
    const auto code = ac_codes[peeked << bits & (ac_codes.size() - 1)];
    const RunSize next(code.symbol);
    const std::uint32_t with_next = bits + code.length + next.size;
    if (code.length == 0 || with_next > kPeek) break;
    bits = with_next;
    ends_block = next.ends_block();
    if (!ends_block) places += next.run + 1;
  }
  if (bits == 0 || places > kPlaces) return {kPlaces << 8U};  // to be passed one by one
  return {bits | places << 8U | (ends_block ? 1U << 16U : 0U)};
}

BlockCodes::Passed BlockCodes::pass_dc(BitReader bits) const {
  const auto code = dc_.find(bits.peek(HuffmanCodes::kMaxLength));
  if (code.length == 0) return {bits, kNonsense};
  bits.drop(code.length);
  if (code.symbol == 0) return {bits, 0};
  const std::int32_t value = extended(bits.peek(code.symbol), code.symbol);
  bits.drop(code.symbol);
  return {bits, value};
}

BlockCodes::Passed BlockCodes::pass_ac(BitReader bits, std::uint32_t place) const {
  bits.refill();
  const auto code = ac_.find(bits.peek(HuffmanCodes::kMaxLength));
  if (code.length == 0) return {bits, kNonsense};
  const RunSize next(code.symbol);
  bits.drop(code.length + next.size);
  const std::uint32_t after = next.ends_block() ? kPlaces : place + next.run + 1;
  return {bits, static_cast<std::int32_t>(after)};
}

}  // namespace thumb
