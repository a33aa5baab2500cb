// Writes JSON text piece by piece into a string, valid whatever strings it is given. For the
// answers that are asked for most; a DOM costs several times as much. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace thumb::ingest {

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Puts commas where they belong. REQUIRES: calls nest as JSON does; the writer starts on text that
// is empty or ends where a value may follow ('{', '[', ',' or ':').
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);  // REQUIRES: needs no escaping
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // REQUIRES: one valid JSON value

  JsonWriter& field(std::string_view name, std::string_view value) {
    return key(name).string(value);
  }
  JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }

 private:
  void separate();
  std::string& out_;
};

}  // namespace thumb::ingest
