// A record of the log as the view takes it in: what is known of its image from it alone. Pure.
#pragma once

#include <string>

#include "platform/log_position.h"
#include "schemas/history.h"
#include "schemas/topology.h"

namespace thumb {

// The entry's part names the image. Errors: those of decode(), and kCorrupt/"wrong-topic".
[[nodiscard]] Result<HistoryEntry> read_entry(Topic topic, const RecordView& record);

// What is kept of the reason why a record could not be read.
[[nodiscard]] std::string reason_unread(const Error& error);

}  // namespace thumb
