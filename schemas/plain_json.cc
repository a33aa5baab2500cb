// simdjson's document and not its on-demand reader, which does not look at what is not asked for:
// a record would be readable here and unreadable elsewhere.
#include "schemas/plain_json.h"

#include <simdjson.h>

#include <string>

#include "schemas/event_reading.h"

namespace thumb {
namespace {

namespace dom = simdjson::dom;

// The interface of JsonFields, but for the words: anything wrong is only `refused`.
class PlainFields {
 public:
  PlainFields(dom::object object, bool& refused) : object_(object), refused_(refused) {}

  std::string text(std::string_view name, std::size_t min_bytes, std::size_t max_bytes) {
    return std::string(view(name, min_bytes, max_bytes));
  }

  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max) {
    std::int64_t value = min;
    if (find(name).get_int64().get(value) != simdjson::SUCCESS || value < min || value > max) {
      refused_ = true;
      return min;
    }
    return value;
  }

  TimeMs time(std::string_view name) {
    const auto parsed = parse_rfc3339(view(name, 1, 40));
    if (!parsed) refused_ = true;
    return parsed.value_or(TimeMs{});
  }

  template <typename IdType>
  IdType id(std::string_view name) {
    const auto parsed = IdType::parse(view(name, 1, 64));
    if (!parsed) refused_ = true;
    return parsed.value_or(IdType{});
  }

  PlainFields object(std::string_view name) {
    dom::object found;
    if (find(name).get_object().get(found) != simdjson::SUCCESS) refused_ = true;
    return {refused_ ? object_ : found, refused_};
  }

  template <typename Each>
  void objects(std::string_view name, std::size_t min, std::size_t max, Each each) {
    dom::array array;
    const bool is_array = find(name).get_array().get(array) == simdjson::SUCCESS;
    if (!is_array || array.size() < min || array.size() > max) {
      refused_ = true;
      return;
    }
    for (const auto element : array) {
      dom::object found;
      if (element.get_object().get(found) != simdjson::SUCCESS) refused_ = true;
      if (refused_) return;
      each(PlainFields(found, refused_));
    }
  }

  bool has(std::string_view name) {
    const auto found = find(name);
    return found.error() == simdjson::SUCCESS && !found.is_null();
  }

  void complain(std::string_view /*name*/, std::string_view /*expected*/) { refused_ = true; }

 private:
  std::string_view view(std::string_view name, std::size_t min_bytes, std::size_t max_bytes) {
    std::string_view text;
    if (find(name).get_string().get(text) != simdjson::SUCCESS || text.size() < min_bytes ||
        text.size() > max_bytes) {
      refused_ = true;
      return {};
    }
    return text;
  }

  // Of a name that is there twice the other reader takes the last one, and simdjson the first.
  simdjson::simdjson_result<dom::element> find(std::string_view name) {
    simdjson::simdjson_result<dom::element> found(simdjson::NO_SUCH_FIELD);
    if (refused_) return found;
    for (const auto field : object_) {
      if (field.key != name) continue;
      if (found.error() == simdjson::SUCCESS) refused_ = true;
      found = simdjson::simdjson_result<dom::element>(dom::element(field.value));
    }
    return found;
  }

  dom::object object_;
  bool& refused_;
};

}  // namespace

std::optional<Event> event_from_plain_json(std::string_view name, std::string_view json) {
  const auto reader = event_reading::reader_of<PlainFields>(name);
  // Without an escape a string's bytes are its text, and no lone surrogate can hide in one.
  if (reader == nullptr || json.find('\\') != std::string_view::npos) return std::nullopt;
  thread_local dom::parser
      parser;  // keeps its buffers; copies the text to where it may read past it
  dom::object object;
  if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  bool refused = false;
  PlainFields fields(object, refused);
  auto event = reader(fields);
  if (refused) return std::nullopt;
  return event;
}

}  // namespace thumb
