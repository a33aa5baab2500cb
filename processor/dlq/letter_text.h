// Dead letters for the eye, and as JSON. They may hold any bytes: what is no text is shown as hex,
// and in JSON as base64. Pure.
#pragma once

#include <optional>
#include <string>

#include "processor/dlq/dead_letter.h"

namespace thumb::dlq {

// One line, without its end. `sent_as`: the record that was sent again from it, if one was.
[[nodiscard]] std::string list_line(const DeadLetter& letter,
                                    const std::optional<LogPosition>& sent_as);
// One JSON object: {"dead_letter", "at", "topic", "partition", "offset", "key", "stage", "code",
// "message", "attempt", "sent_from", "sent_as", "value_bytes"}; what is not known is null.
[[nodiscard]] std::string list_json(const DeadLetter& letter,
                                    const std::optional<LogPosition>& sent_as);

// All of a record: where it stands, its headers, its key, `value`. `value_from` says where the
// value was found, if not in the record itself.
[[nodiscard]] std::string show_text(const InRecord& record, const std::optional<std::string>& value,
                                    const std::string& value_from);
// {"dead_letter", "at", "key", "headers": [{"name", "value"}], "value", "value_from"}; bytes that
// are no text stand under the same name with "_base64" behind it.
[[nodiscard]] std::string show_json(const InRecord& record, const std::optional<std::string>& value,
                                    const std::string& value_from);

}  // namespace thumb::dlq
