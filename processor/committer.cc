#include "processor/committer.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace thumb {
namespace {

using std::chrono::steady_clock;

}  // namespace

Committer::Committer(WorkTable& table, MakeProducer make_producer, RandomBytes random, Log& log,
                     ProcessorMetrics& metrics, CommitterOptions options)
    : table_(table),
      make_producer_(std::move(make_producer)),
      random_(std::move(random)),
      log_(log),
      metrics_(metrics),
      options_(options) {}

Result<void> Committer::commit(kafka::GroupConsumer& consumer, const std::stop_token& stop) {
  if (steady_clock::now() < not_before_ || !prepare(consumer, stop)) return {};
  if (!due()) return {};
  gathering_until_.reset();
  const Batch batch = table_.next_batch(options_.max_batch);
  auto done = try_batch(consumer, batch);
  if (done || done.error().kind != ErrorKind::kTooLarge) return {};
  // A dead letter is its record and some headers: one that was as large as a record may be.
  if (table_.shorten_dead_letters()) return {};
  return done;
}

// Without a backlog finished work waits for nothing. With one, each transaction costs both sides
// the same whatever it holds, and the requests behind it wait for decoders anyway.
bool Committer::due() {
  const std::size_t ready = table_.ready();
  if (ready == 0) {
    gathering_until_.reset();
    return false;
  }
  if (ready >= options_.max_batch || table_.in_work() <= options_.busy_above) return true;
  const auto now = steady_clock::now();
  if (!gathering_until_) gathering_until_ = now + options_.linger;
  return now >= *gathering_until_;
}

Deadline Committer::due_at() const {
  if (producer_ == nullptr || (failures_ > 0 && table_.ready() > 0)) return not_before_;
  return gathering_until_ ? std::max(*gathering_until_, not_before_) : Deadline::max();
}

void Committer::commit_last(kafka::GroupConsumer& consumer,
                            std::span<const std::int32_t> partitions, Deadline deadline) {
  // Neither a new producer nor an answer about an unknown outcome can be had in so little time.
  while (producer_ != nullptr && !outcome_unknown_) {
    const Batch batch = table_.next_batch(options_.max_batch, partitions);
    if (batch.offsets.empty() || steady_clock::now() >= deadline) return;
    if (try_batch(consumer, batch)) continue;
    std::this_thread::sleep_until(std::min(not_before_, deadline));
  }
}

// A producer, and no doubt about what is committed.
bool Committer::prepare(kafka::GroupConsumer& consumer, const std::stop_token& stop) {
  if (producer_ == nullptr) {
    auto made = make_producer_();
    if (!made) {
      note_failure("no transactional producer", made.error());
      return false;
    }
    producer_ = std::move(*made);
  }
  if (!outcome_unknown_) return true;
  std::vector<kafka::TopicPartition> owned;
  for (const auto partition : table_.partitions()) {
    owned.push_back({table_.input_topic(), partition});
  }
  if (owned.empty()) return true;  // whoever owns them next reads what is committed
  const auto committed = consumer.committed(owned, options_.committed_timeout, stop);
  if (!committed) {
    note_failure("committed offsets can't be read", committed.error());
    return false;
  }
  settle(*committed);
  outcome_unknown_ = false;
  return true;
}

Result<void> Committer::try_batch(kafka::GroupConsumer& consumer, const Batch& batch) {
  auto group = consumer.group_metadata();
  if (!group) {
    note_failure("no group metadata", group.error());
    return Failure(group.error());
  }
  const auto begun = steady_clock::now();
  auto done = producer_->commit_batch(batch.outputs, batch.offsets, **group);
  metrics_.commit_seconds.Observe(
      std::chrono::duration<double>(steady_clock::now() - begun).count());
  if (done) {
    metrics_.count(ProcessorMetrics::Transaction::kCommitted);
    failures_ = 0;
    settle(batch.offsets);
    return done;
  }
  const bool spent = done.error().retry == Retry::kFatal;
  metrics_.count(spent ? ProcessorMetrics::Transaction::kFatal
                       : ProcessorMetrics::Transaction::kAborted);
  if (spent) {
    producer_.reset();
    outcome_unknown_ = true;
  }
  note_failure("a transaction failed", done.error());
  return done;
}

void Committer::settle(std::span<const kafka::PartitionOffset> offsets) {
  for (const auto& [tp, offset] : offsets) {
    for (const Ending ending : table_.settle(tp.partition, offset)) metrics_.count(ending);
  }
}

void Committer::note_failure(std::string_view what, const Error& error) {
  not_before_ = steady_clock::now() + options_.backoff.delay(failures_++, random_fraction(random_));
  log_.warn(what, {{"code", error.code}, {"error", error.message}, {"detail", error.detail}});
}

}  // namespace thumb
