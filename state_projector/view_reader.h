// Port: the read side of the view, the one header of this service that others (ingest) may include.
//
// Freshness: `position()` names what the view has folded in. Read it before the row it is to
// vouch for: a row is at least as new as a position read earlier.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/row.h"
#include "schemas/topology.h"

namespace thumb {

// No page holds more rows; a greater limit is cut to this, 0 is taken as 1.
inline constexpr std::size_t kMaxListLimit = 200;

struct ListQuery {
  std::optional<ImageState> state = {};  // empty: all but deleted
  std::size_t limit = 20;
  std::string cursor = {};  // empty: from the newest; else what the last page gave
};

struct ListPage {
  std::vector<ImageRow> rows;  // by (accepted_at, id), newest first; deleted ones by deleted_at
  std::string next_cursor;     // opaque; empty at the end
};

// Thread-safe. Every call answers from memory or disk in microseconds, except wait_for.
// Errors: kUnavailable/"view-unavailable" (retry: there is no view yet, or its disk fails),
// kInvalid/"bad-cursor" (never retry).
class ViewReader {
 public:
  virtual ~ViewReader() = default;

  // The row, deleted ones included; empty if the view has no visible row of that id.
  [[nodiscard]] virtual Result<std::optional<ImageRow>> get(const ImageId& id) = 0;
  [[nodiscard]] virtual Result<ListPage> list(const ListQuery& query) = 0;

  // The offset up to which (exclusive) this topic's partition is folded in; 0 if nothing is.
  [[nodiscard]] virtual Result<std::int64_t> position(Topic topic, std::int32_t partition) = 0;

  // Calls `done` exactly once: with true as soon as position(topic, partition) >= next_offset, with
  // false at the deadline, at the reader's end or when there are too many waiters already (10,000).
  // Never blocks; `done` runs on a thread of the reader (or inline if the answer is known at once),
  // must be short and must not throw.
  virtual void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset,
                        Deadline deadline, std::function<void(bool reached)> done) = 0;
};

}  // namespace thumb
