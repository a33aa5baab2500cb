// Port: the read side of the view, the one header of this service that others (ingest) may include.
//
// Freshness: `position()` names what the view has folded in. Read it before the row it is to
// vouch for: a row is at least as new as a position read earlier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/log_position.h"
#include "platform/result.h"
#include "schemas/history.h"
#include "schemas/row.h"
#include "schemas/topology.h"
#include "state_projector/positions.h"

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

// One step of an image, as the change feed has it.
struct ViewChange {
  std::uint64_t sequence = 0;  // within one view: rising, without gaps
  ImageId id;
  ImageState state{};
  std::size_t generation = 0;  // of the newest request
  TimeMs at;                   // log time of the event that it came with
  friend bool operator==(const ViewChange&, const ViewChange&) = default;
};

struct ChangePage {
  std::string view_id;       // sequence numbers of another view mean nothing here
  std::uint64_t oldest = 0;  // of the entries that the feed still holds; 0: it holds none
  std::uint64_t newest = 0;  // of all that were ever written
  std::vector<ViewChange> changes;
};

struct ViewStats {
  std::string view_id;
  std::map<ImageState, std::int64_t> images;  // states of zero left out
  std::int64_t unreadable = 0;                // records that were skipped
  std::uint64_t newest_change = 0;            // number of the feed's newest entry
  Positions positions;                        // what is folded in
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

  // Everything that is known to have happened to the image, by happened_before(); empty if the view
  // has no visible row of that id, or a deleted one.
  [[nodiscard]] virtual Result<std::vector<HistoryEntry>> history(const ImageId& id) = 0;

  [[nodiscard]] virtual Result<ViewStats> stats() = 0;

  // The changes behind number `after`, at most `limit`, ascending. Where the feed no longer holds
  // the next one, `oldest` says so and it goes on from there.
  [[nodiscard]] virtual Result<ChangePage> changes(std::uint64_t after, std::size_t limit) = 0;

  // The offset up to which (exclusive) this topic's partition is folded in; 0 if nothing is.
  [[nodiscard]] virtual Result<std::int64_t> position(Topic topic, std::int32_t partition) = 0;

  // Calls `done` exactly once: with true as soon as there is a change behind number `after`, or
  // another view serves and numbers begin anew; else as wait_for() does.
  virtual void wait_for_change(std::uint64_t after, Deadline deadline,
                               std::function<void(bool changed)> done) = 0;

  // Calls `done` exactly once: with true as soon as position(topic, partition) >= next_offset, with
  // false at the deadline, at the reader's end or when there are too many waiters already (10,000).
  // Never blocks; `done` runs on a thread of the reader (or inline if the answer is known at once),
  // must be short and must not throw.
  virtual void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset,
                        Deadline deadline, std::function<void(bool reached)> done) = 0;
};

}  // namespace thumb
