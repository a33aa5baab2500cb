#include "processor/work_table.h"

#include <algorithm>
#include <utility>

namespace thumb {

void WorkTable::assign(std::int32_t partition, std::int64_t handle_from) {
  drop(partition);
  partitions_.try_emplace(partition, ++last_epoch_, handle_from);
}

void WorkTable::drop(std::int32_t partition) {
  const auto gone = partitions_.find(partition);
  if (gone == partitions_.end()) return;
  gone->second.revoked.request_stop();
  partitions_.erase(gone);
  schedule_.drop(partition);
}

void WorkTable::drop_all() {
  for (const auto partition : partitions()) drop(partition);
}

std::vector<std::int32_t> WorkTable::partitions() const {
  std::vector<std::int32_t> numbers;
  for (const auto& [number, partition] : partitions_) numbers.push_back(number);
  return numbers;
}

std::map<std::int32_t, std::int64_t> WorkTable::positions() const {
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& [number, partition] : partitions_) next[number] = partition.ledger.next_commit();
  return next;
}

void WorkTable::admit(const InRecord& record) {
  const auto found = partitions_.find(record.position.partition);
  if (found == partitions_.end()) return;
  Partition& partition = found->second;
  const std::int64_t offset = record.position.offset;
  auto work = understand(record);
  const bool repeat = work && partition.repeats.observe(work->request, offset, record.timestamp);
  const bool settled =
      offset < partition.ledger.next_commit() || partition.entries.contains(offset);
  if (settled) return;

  partition.ledger.begin(offset);
  Entry& entry = partition.entries[offset];
  if (!work) {
    entry.outcome = Outcome{Ending::kDeadLettered, {dead_letter(record, work.error(), names_)}};
  } else if (repeat) {
    entry.outcome = Outcome{Ending::kRepeat, {}};
  }
  if (entry.outcome) {
    partition.ledger.finish(offset);
    return;
  }
  ++partition.unfinished;
  const auto rule = is_deletion(*work) ? RunsAfter::kEarlierCommitted : RunsAfter::kEarlierFinished;
  entry.work = std::make_shared<const Work>(std::move(*work));
  schedule_.add(record.key, record.position, rule);
}

std::optional<Job> WorkTable::take() {
  const auto position = schedule_.take();
  if (!position) return std::nullopt;
  const Partition& partition = partitions_.at(position->partition);
  const Entry& entry = partition.entries.at(position->offset);
  return Job{
      {*position, partition.epoch}, entry.work, entry.attempts, partition.revoked.get_token()};
}

WorkTable::Entry* WorkTable::find(const Ticket& ticket) {
  const auto partition = partitions_.find(ticket.position.partition);
  if (partition == partitions_.end() || partition->second.epoch != ticket.epoch) return nullptr;
  const auto entry = partition->second.entries.find(ticket.position.offset);
  return entry == partition->second.entries.end() ? nullptr : &entry->second;
}

bool WorkTable::finish(const Ticket& ticket, Outcome outcome) {
  Entry* entry = find(ticket);
  if (entry == nullptr || entry->outcome) return false;
  Partition& partition = partitions_.at(ticket.position.partition);
  entry->outcome = std::move(outcome);
  --partition.unfinished;
  if (entry->attempts > 0) --partition.postponed;
  partition.ledger.finish(ticket.position.offset);
  schedule_.finish(ticket.position);
  return true;
}

bool WorkTable::postpone(const Ticket& ticket) {
  Entry* entry = find(ticket);
  if (entry == nullptr || entry->outcome) return false;
  if (entry->attempts++ == 0) ++partitions_.at(ticket.position.partition).postponed;
  return true;
}

bool WorkTable::resume(const Ticket& ticket) {
  const Entry* entry = find(ticket);
  if (entry == nullptr || entry->outcome) return false;
  schedule_.resume(ticket.position);
  return true;
}

void WorkTable::collect(std::int32_t number, const Partition& partition, std::size_t& room,
                        Batch& batch) const {
  const std::int64_t next = partition.ledger.committable(room);
  if (next == partition.ledger.next_commit()) return;
  for (auto entry = partition.entries.begin();
       entry != partition.entries.end() && entry->first < next; ++entry) {
    for (const auto& output : entry->second.outcome->outputs) {
      // Not where the key would go: a stranger may have put the request elsewhere. What was made of
      // a partition is looked for in the same one, and the view folds them together.
      batch.outputs.push_back(output);
      batch.outputs.back().partition = number;
    }
    --room;
  }
  batch.offsets.push_back({{input_topic_, number}, next});
}

Batch WorkTable::next_batch(std::size_t max_records) const {
  Batch batch;
  for (const auto& [number, partition] : partitions_) {
    collect(number, partition, max_records, batch);
  }
  return batch;
}

Batch WorkTable::next_batch(std::size_t max_records,
                            std::span<const std::int32_t> only_partitions) const {
  Batch batch;
  for (const auto number : only_partitions) {
    const auto partition = partitions_.find(number);
    if (partition != partitions_.end()) collect(number, partition->second, max_records, batch);
  }
  return batch;
}

std::vector<Ending> WorkTable::settle(std::int32_t partition, std::int64_t next) {
  std::vector<Ending> endings;
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return endings;
  auto& entries = found->second.entries;
  const auto end = entries.lower_bound(next);
  for (auto entry = entries.begin(); entry != end; ++entry) {
    if (entry->second.outcome) endings.push_back(entry->second.outcome->ending);
    if (entry->second.work) schedule_.commit({partition, entry->first});
  }
  entries.erase(entries.begin(), end);
  found->second.ledger.settle(next);
  return endings;
}

bool WorkTable::shorten_dead_letters() {
  const auto shorten_each = [this](bool (*shorten)(OutRecord&)) {
    bool shortened = false;
    for (auto& [number, partition] : partitions_) {
      for (auto& [offset, entry] : partition.entries) {
        if (!entry.outcome || entry.outcome->ending != Ending::kDeadLettered) continue;
        for (auto& output : entry.outcome->outputs) shortened = shorten(output) || shortened;
      }
    }
    return shortened;
  };
  return shorten_each(leave_out_value) || shorten_each(leave_out_key_and_headers);
}

std::size_t WorkTable::ready() const {
  std::size_t sum = 0;
  for (const auto& [number, partition] : partitions_) sum += partition.ledger.ready();
  return sum;
}

std::size_t WorkTable::in_work() const {
  std::size_t sum = 0;
  for (const auto& [number, partition] : partitions_) sum += partition.unfinished;
  return sum;
}

std::vector<std::int32_t> WorkTable::overfull(std::size_t window) {
  std::vector<std::int32_t> numbers;
  for (auto& [number, partition] : partitions_) {
    const std::size_t unsettled = partition.entries.size();
    partition.full = unsettled >= window || (partition.full && unsettled * 2 > window);
    if (partition.full || partition.postponed > 0) numbers.push_back(number);
  }
  return numbers;
}

std::size_t WorkTable::in_flight() const {
  std::size_t sum = 0;
  for (const auto& [number, partition] : partitions_) sum += partition.entries.size();
  return sum;
}

}  // namespace thumb
