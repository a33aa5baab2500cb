// "partition:offset", as the Position headers carry it.
#include "platform/log_position.h"

#include <fmt/format.h>

#include <limits>

#include "platform/text.h"

namespace thumb {

std::string to_string(LogPosition position) {
  return fmt::format("{}:{}", position.partition, position.offset);
}

Result<LogPosition> parse_log_position(std::string_view text) {
  const auto colon = text.find(':');
  const auto partition = parse_u64(text.substr(0, colon));
  const auto offset =
      colon == std::string_view::npos ? std::nullopt : parse_u64(text.substr(colon + 1));
  if (!partition || !offset || *partition > std::numeric_limits<std::int32_t>::max() ||
      *offset > std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorKind::kInvalid, "bad-position",
                "a position has the form partition:offset, for example 3:1041");
  }
  return LogPosition{static_cast<std::int32_t>(*partition), static_cast<std::int64_t>(*offset)};
}

}  // namespace thumb
