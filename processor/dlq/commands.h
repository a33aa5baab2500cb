// What an operator can do about dead letters: list, show, send again. Over ports; a main names the
// adapters.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>

#include "kafka/producer.h"
#include "processor/dlq/dead_letter_log.h"

namespace thumb::dlq {

struct ListOptions {
  std::optional<std::int32_t> partition;  // none: of every partition
  std::size_t limit = 100;                // the newest so many; 0: all
  bool as_json = false;                   // one object a line
};

// Oldest first. Says on the last line if older ones were left out (not in JSON).
[[nodiscard]] Result<void> list(DeadLetterLog& log, const ListOptions& options, std::ostream& out);

enum class ShowAs : std::uint8_t { kText, kJson, kValueOnly };

// kNotFound/"no-such-dead-letter" if there is none. A value that was left out as too large is read
// from where the record stood.
[[nodiscard]] Result<void> show(DeadLetterLog& log, LogPosition position, ShowAs as,
                                std::ostream& out);

// Puts the selected ones back on image-requests, unless the log says that they were; says of each
// what was done, and the sums. Run twice, or again after a crash, it sends nothing twice.
// `producer` may be null in a dry run, which looks and says, and changes nothing.
//
// kNotFound/"no-such-dead-letter" if one was named that does not exist; kConflict/"not-all-sent" if
// some could not be sent (the output says why). Those of the producer end it at once: the record
// may be in the log, and the next run will find it there.
[[nodiscard]] Result<void> redrive(DeadLetterLog& log, const Selection& selection,
                                   const TopicNames& names, kafka::Producer* producer,
                                   std::ostream& out);

}  // namespace thumb::dlq
