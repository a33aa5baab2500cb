// "partition:offset", as the Position headers carry it.
#include "platform/log_position.h"

#include <fmt/format.h>

#include <limits>

#include "platform/text.h"

namespace thumb {
namespace {

template <typename To, typename From>
BasicInRecord<To> with_texts_as(const BasicInRecord<From>& record) {
  BasicInRecord<To> same{
      To(record.topic), record.position, record.timestamp, To(record.key), {}, {}};
  if (record.value) same.value.emplace(*record.value);
  same.headers.reserve(record.headers.size());
  for (const auto& [name, value] : record.headers) same.headers.push_back({To(name), To(value)});
  return same;
}

}  // namespace

InRecord owned(const RecordView& record) { return with_texts_as<std::string>(record); }

RecordView view_of(const InRecord& record) { return with_texts_as<std::string_view>(record); }

std::string to_string(LogPosition position) {
  return fmt::format("{}:{}", position.partition, position.offset);
}

Result<LogPosition> parse_log_position(std::string_view text) {
  const auto colon = text.find(':');
  const auto partition = parse_i64(text.substr(0, colon)).value_or(-1);
  const auto offset =
      colon == std::string_view::npos ? -1 : parse_i64(text.substr(colon + 1)).value_or(-1);
  const bool negative_zero = text.starts_with('-') || text.find(":-") != std::string_view::npos;
  if (partition < 0 || offset < 0 || negative_zero ||
      partition > std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorKind::kInvalid, "bad-position",
                "a position has the form partition:offset, for example 3:1041");
  }
  return LogPosition{static_cast<std::int32_t>(partition), offset};
}

}  // namespace thumb
