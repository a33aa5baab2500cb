// Everything the processor has in hand: which partitions are its own and since when, what of them
// is waiting, running, finished. All rules about what may be committed live here. Pure; for one
// thread.
//
// Work belongs to the assignment (epoch) in which it was read. When a partition goes, all of its
// work goes, and what comes back later from a worker is of an older epoch and ignored.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/types.h"
#include "processor/keyed_schedule.h"
#include "processor/offset_ledger.h"
#include "processor/repeat_filter.h"
#include "processor/work.h"
#include "schemas/topology.h"

namespace thumb {

// Names one piece of work of one assignment.
struct Ticket {
  LogPosition position;
  std::uint64_t epoch = 0;
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

// Something to do now.
struct Job {
  Ticket ticket;
  std::shared_ptr<const Work> work;
  unsigned attempt = 0;     // 0 the first time
  std::stop_token revoked;  // nobody waits for the outcome any more
};

// What one transaction holds.
struct Batch {
  std::vector<OutRecord> outputs;
  std::vector<kafka::PartitionOffset> offsets;  // of the next records to read
};

class WorkTable {
 public:
  // `input_topic` is the full name of image-requests.
  WorkTable(std::string input_topic, TopicNames names)
      : input_topic_(std::move(input_topic)), names_(std::move(names)) {}

  // The partition is ours from now on. Records below `handle_from` only warm up the repeat filter.
  void assign(std::int32_t partition, std::int64_t handle_from);
  // The partition is gone, and all work of it.
  void drop(std::int32_t partition);
  void drop_all();
  [[nodiscard]] std::vector<std::int32_t> partitions() const;
  // Of each partition of ours: the offset committed last.
  [[nodiscard]] std::map<std::int32_t, std::int64_t> positions() const;
  [[nodiscard]] const std::string& input_topic() const { return input_topic_; }

  // A record was read. Ignored if its partition is not ours or it is settled already.
  void admit(const InRecord& record);
  [[nodiscard]] std::optional<Job> take();

  // The next three return false, and do nothing, if the ticket is of an older assignment.
  bool finish(const Ticket& ticket, Outcome outcome);
  // The attempt failed for a passing reason; resume() makes it runnable again.
  bool postpone(const Ticket& ticket);
  bool resume(const Ticket& ticket);

  // The contiguous finished prefixes, at most `max_records` together. Nothing changes until the
  // outcome is known: then settle() with each offset, or ask again.
  [[nodiscard]] Batch next_batch(std::size_t max_records) const;
  [[nodiscard]] Batch next_batch(std::size_t max_records,
                                 std::span<const std::int32_t> only_partitions) const;
  // The group has committed `next` for the partition (by this batch or one whose outcome was
  // unknown). Returns how the records ended that are settled by it.
  std::vector<Ending> settle(std::int32_t partition, std::int64_t next);

  // The transaction was too large: the values of finished dead letters are left out from now on; if
  // they were already, so are keys and what headers the records came with. The headers that are
  // left tell where the record stands. False if there was nothing left to leave out.
  bool shorten_dead_letters();

  // Finished records that the next batch could hold.
  [[nodiscard]] std::size_t ready() const;
  // Admitted and not finished.
  [[nodiscard]] std::size_t in_work() const;
  // Read and not settled.
  [[nodiscard]] std::size_t in_flight() const;
  // Partitions that should not be read on for now: those with postponed work, since nothing past it
  // can commit, and those that have `window` unsettled records, until half of them are settled.
  [[nodiscard]] std::vector<std::int32_t> overfull(std::size_t window);

 private:
  struct Entry {
    std::shared_ptr<const Work> work;  // null: nothing to do
    std::optional<Outcome> outcome;
    unsigned attempts = 0;
  };
  struct Partition {
    Partition(std::uint64_t assignment, std::int64_t handle_from)
        : epoch(assignment), ledger(handle_from) {}

    std::uint64_t epoch;
    OffsetLedger ledger;
    RepeatFilter repeats;
    std::map<std::int64_t, Entry> entries;
    std::stop_source revoked;
    std::size_t unfinished = 0;  // entries without an outcome
    std::size_t postponed = 0;   // those of them whose last attempt failed
    bool full = false;           // of unsettled records
  };

  [[nodiscard]] Entry* find(const Ticket& ticket);
  void collect(std::int32_t number, const Partition& partition, std::size_t& room,
               Batch& batch) const;

  std::string input_topic_;
  TopicNames names_;
  std::map<std::int32_t, Partition> partitions_;
  KeyedSchedule schedule_;
  std::uint64_t last_epoch_ = 0;
};

}  // namespace thumb
