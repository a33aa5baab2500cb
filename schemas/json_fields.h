// Reads fields of a JSON object that must be there, remembering the first that isn't as it should.
// Internal to the codec. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "platform/clock.h"
#include "platform/result.h"

namespace thumb {

// After any failed read every further read gives a default value; `problem` tells what came first.
// Refers to the object and the problem, which must outlive it.
class JsonFields {
 public:
  // `path` stands before field names in problems ("original.").
  JsonFields(const nlohmann::json& object, std::string path, std::optional<std::string>& problem);

  [[nodiscard]] std::string text(const char* name, std::size_t min_bytes, std::size_t max_bytes);
  [[nodiscard]] std::int64_t integer(const char* name, std::int64_t min, std::int64_t max);
  [[nodiscard]] TimeMs time(const char* name);

  template <typename IdType>
  [[nodiscard]] IdType id(const char* name) {
    const auto parsed = IdType::parse(text(name, 1, 64));
    if (!parsed) complain(name, "a UUID");
    return parsed.value_or(IdType{});
  }

  // A nested object, with its own path.
  [[nodiscard]] JsonFields object(const char* name);
  // Calls `each` for every element of an array of `min` to `max` objects.
  void objects(const char* name, std::size_t min, std::size_t max,
               const std::function<void(JsonFields)>& each);

  [[nodiscard]] bool has(const char* name) const { return find(name) != nullptr; }

  // "<path><name> must be <expected>", unless something was wrong before.
  void complain(const std::string& name, const std::string& expected);

 private:
  // Null if absent; a JSON null counts as absent.
  [[nodiscard]] const nlohmann::json* find(const char* name) const;

  const nlohmann::json& object_;
  std::string path_;
  std::optional<std::string>& problem_;
};

}  // namespace thumb
