// What the writing and the following side of a RocksDB view share: settings, reads, error words.
// Private to this folder, the one place that knows RocksDB.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/result.h"
#include "state_projector/key_value_store.h"

namespace thumb::rocks {

// The same for both sides; `max_open_files` is unlimited, so that a file which the writer deletes
// stays readable for a follower that has it open.
[[nodiscard]] rocksdb::Options view_options();

// A status that is not OK as an Error: corruption is kCorrupt, all else kUnavailable.
[[nodiscard]] Failure to_failure(const rocksdb::Status& status, std::string_view what);

[[nodiscard]] Result<std::optional<std::string>> get(rocksdb::DB& db, std::string_view key);
[[nodiscard]] Result<void> scan(rocksdb::DB& db, std::string_view prefix, std::string_view from,
                                const KeyValueReader::Visit& visit);

}  // namespace thumb::rocks
