// Table 3-7 of the Unicode standard ("Well-Formed UTF-8 Byte Sequences") as ranges.
#include "ingest/utf8.h"

#include <array>
#include <cstdint>

namespace thumb::ingest {

namespace {

struct Form {
  std::uint8_t first_low, first_high, second_low, second_high;
  std::size_t length;
};

constexpr std::array kForms = {
    Form{0xC2, 0xDF, 0x80, 0xBF, 2}, Form{0xE0, 0xE0, 0xA0, 0xBF, 3},
    Form{0xE1, 0xEC, 0x80, 0xBF, 3}, Form{0xED, 0xED, 0x80, 0x9F, 3},
    Form{0xEE, 0xEF, 0x80, 0xBF, 3}, Form{0xF0, 0xF0, 0x90, 0xBF, 4},
    Form{0xF1, 0xF3, 0x80, 0xBF, 4}, Form{0xF4, 0xF4, 0x80, 0x8F, 4},
};

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto first = byte_at(text, 0);
  if (first < 0x80) return {.value = first, .length = 1, .valid = true};
  for (const auto& form : kForms) {
    if (first < form.first_low || first > form.first_high) continue;
    if (text.size() < form.length) return {};
    const auto second = byte_at(text, 1);
    if (second < form.second_low || second > form.second_high) return {};
    auto value = static_cast<char32_t>(first & (0x7FU >> form.length));
    for (std::size_t i = 1; i < form.length; ++i) {
      const auto next = byte_at(text, i);
      if ((next & 0xC0U) != 0x80) return {};
      value = value << 6U | (next & 0x3FU);
    }
    return {.value = value, .length = form.length, .valid = true};
  }
  return {};
}

}  // namespace thumb::ingest
