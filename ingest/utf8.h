// UTF-8, one code point at a time. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thumb::ingest {

struct CodePoint {
  char32_t value = 0;      // meaningless if not valid
  std::size_t length = 1;  // bytes to step over; 1 for a byte that begins nothing well-formed
  bool valid = false;
};

// REQUIRES: text is not empty. Refuses surrogates, overlong forms and what lies past U+10FFFF.
[[nodiscard]] CodePoint first_code_point(std::string_view text);

}  // namespace thumb::ingest
