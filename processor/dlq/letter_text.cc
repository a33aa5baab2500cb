#include "processor/dlq/letter_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "platform/text.h"

namespace thumb::dlq {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kHexRow = 16;

// Can it be printed on a terminal without harm?
bool is_text(std::string_view bytes) {
  return is_utf8(bytes) && std::ranges::none_of(bytes, [](char c) {
           const auto code = static_cast<unsigned char>(c);
           return (code < 0x20 && c != '\n' && c != '\t' && c != '\r') || code == 0x7F;
         });
}

// One line of text, whatever the bytes are.
std::string printable(std::string_view bytes) {
  if (is_text(bytes) && bytes.find_first_of("\r\n") == std::string_view::npos) {
    return std::string(bytes);
  }
  return "0x" + to_hex(as_bytes(bytes));
}

std::string hex_dump(std::string_view bytes) {
  std::string dump;
  for (std::size_t at = 0; at < bytes.size(); at += kHexRow) {
    const auto row = bytes.substr(at, kHexRow);
    std::string hex;
    std::string letters;
    for (const char c : row) {
      hex += fmt::format("{:02x} ", static_cast<unsigned char>(c));
      letters += c >= 0x20 && c < 0x7F ? c : '.';
    }
    dump += fmt::format("{:08x}  {:<48} |{}|\n", at, hex, letters);
  }
  return dump;
}

ordered_json position_json(const std::optional<LogPosition>& position) {
  return position ? ordered_json(to_string(*position)) : ordered_json();
}

void put_bytes(ordered_json& object, const std::string& name, std::string_view bytes) {
  if (is_utf8(bytes)) {
    object[name] = bytes;
  } else {
    object[name + "_base64"] = to_base64(as_bytes(bytes));
  }
}

// Headers of a foreign hand may hold any bytes.
std::string dumped(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string list_line(const DeadLetter& letter, const std::optional<LogPosition>& sent_as) {
  const std::string from =
      letter.origin ? fmt::format("{} {}", letter.origin->topic, to_string(letter.origin->position))
                    : "origin unknown";
  return fmt::format("{:<10} {}  {}  attempt {}  {}  {}  {}  key {}: {}",
                     to_string(letter.position), to_rfc3339(letter.at), from, letter.attempt,
                     sent_as ? "sent again as " + to_string(*sent_as) : "not sent again",
                     printable(letter.stage), printable(letter.code), printable(letter.key),
                     printable(letter.message));
}

std::string list_json(const DeadLetter& letter, const std::optional<LogPosition>& sent_as) {
  ordered_json object = {{"dead_letter", to_string(letter.position)},
                         {"at", to_rfc3339(letter.at)},
                         {"topic", nullptr},
                         {"partition", nullptr},
                         {"offset", nullptr}};
  if (letter.origin) {
    object["topic"] = letter.origin->topic;
    object["partition"] = letter.origin->position.partition;
    object["offset"] = letter.origin->position.offset;
  }
  put_bytes(object, "key", letter.key);
  object["stage"] = letter.stage;
  object["code"] = letter.code;
  object["message"] = letter.message;
  object["attempt"] = letter.attempt;
  object["sent_from"] = position_json(letter.sent_from);
  object["sent_as"] = position_json(sent_as);
  object["value_bytes"] = letter.value_bytes ? ordered_json(*letter.value_bytes) : ordered_json();
  return dumped(object);
}

std::string show_text(const InRecord& record, const std::optional<std::string>& value,
                      const std::string& value_from) {
  std::string text = fmt::format("dead letter {}, {}\nkey {}\n", to_string(record.position),
                                 to_rfc3339(record.timestamp), printable(record.key));
  for (const auto& [name, held] : record.headers) {
    text += fmt::format("  {}: {}\n", printable(name), printable(held));
  }
  if (!value) return text + "no value\n";
  text += fmt::format("value, {} bytes{}{}\n", value->size(), value_from.empty() ? "" : ", from ",
                      value_from);
  text += is_text(*value) ? *value : hex_dump(*value);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

std::string show_json(const InRecord& record, const std::optional<std::string>& value,
                      const std::string& value_from) {
  ordered_json object = {{"dead_letter", to_string(record.position)},
                         {"at", to_rfc3339(record.timestamp)}};
  put_bytes(object, "key", record.key);
  object["headers"] = ordered_json::array();
  for (const auto& [name, held] : record.headers) {
    ordered_json header = {{"name", name}};
    put_bytes(header, "value", held);
    object["headers"].push_back(std::move(header));
  }
  if (value) {
    put_bytes(object, "value", *value);
  } else {
    object["value"] = nullptr;
  }
  object["value_from"] = value_from.empty() ? ordered_json() : ordered_json(value_from);
  return dumped(object);
}

}  // namespace thumb::dlq
