// Field by field over nlohmann's DOM, without exceptions.
#include "schemas/json_fields.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace thumb {
namespace {

const nlohmann::json kNothing;

std::optional<std::int64_t> in_range(const nlohmann::json& value, std::int64_t min,
                                     std::int64_t max) {
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return std::nullopt;
  }
  const auto number = value.get<std::int64_t>();
  return number < min || number > max ? std::nullopt : std::optional(number);
}

}  // namespace

JsonFields::JsonFields(const nlohmann::json& object, std::string path,
                       std::optional<std::string>& problem)
    : object_(object), path_(std::move(path)), problem_(problem) {
  if (!object_.is_object()) complain("", "an object");
}

std::string JsonFields::text(const char* name, std::size_t min_bytes, std::size_t max_bytes) {
  const auto* value = find(name);
  if (value == nullptr || !value->is_string()) {
    complain(name, "a string");
    return {};
  }
  auto text = value->get<std::string>();
  if (text.size() < min_bytes || text.size() > max_bytes) {
    complain(name, fmt::format("{} to {} bytes long", min_bytes, max_bytes));
  }
  return text;
}

std::int64_t JsonFields::integer(const char* name, std::int64_t min, std::int64_t max) {
  const auto* value = find(name);
  const auto number =
      value != nullptr && value->is_number_integer() ? in_range(*value, min, max) : std::nullopt;
  if (!number) complain(name, fmt::format("a whole number from {} to {}", min, max));
  return number.value_or(min);
}

TimeMs JsonFields::time(const char* name) {
  const auto parsed = parse_rfc3339(text(name, 1, 40));
  if (!parsed) complain(name, "an RFC 3339 time");
  return parsed.value_or(TimeMs{});
}

JsonFields JsonFields::object(const char* name) {
  const auto* value = find(name);
  return {value == nullptr ? kNothing : *value, path_ + name + ".", problem_};
}

void JsonFields::objects(const char* name, std::size_t min, std::size_t max,
                         const std::function<void(JsonFields)>& each) {
  const auto* value = find(name);
  if (value == nullptr || !value->is_array() || value->size() < min || value->size() > max) {
    return complain(name, fmt::format("an array of {} to {} objects", min, max));
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    each(JsonFields((*value)[i], fmt::format("{}{}[{}].", path_, name, i), problem_));
  }
}

void JsonFields::complain(const std::string& name, const std::string& expected) {
  if (problem_) return;
  auto field = path_ + name;
  if (field.ends_with('.')) field.pop_back();
  problem_ = fmt::format("{} must be {}", field.empty() ? "the event's data" : field, expected);
}

const nlohmann::json* JsonFields::find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto at = object_.find(name);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

}  // namespace thumb
