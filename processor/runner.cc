#include "processor/runner.h"

#include <algorithm>
#include <utility>

#include "platform/failpoint.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A full processor must still answer its group, and only a poll does.
constexpr std::chrono::seconds kServiceInterval{1};

}  // namespace

Runner::Runner(Ports ports, const TopicNames& names, RunnerOptions options)
    : ports_(std::move(ports)),
      options_(options),
      table_(names.of(Topic::kImageRequests), names),
      committer_(table_, ports_.make_producer, ports_.random, ports_.log, ports_.metrics,
                 options.commit),
      workshop_(options.workers, options.max_in_work, ports_.handle, [this] { wake(); }) {}

Runner::~Runner() {
  table_.drop_all();  // what is queued is skipped
  close_consumer();
}

Result<void> Runner::run(const std::stop_token& stop) {
  stop_ = stop;
  const std::stop_callback on_stop(stop, [this] { wake(); });
  Result<void> going;
  while (going && !stop.stop_requested()) going = turn();
  ready_ = false;
  close_consumer();
  table_.drop_all();
  return going;
}

Result<void> Runner::turn() {
  if (consumer_ == nullptr) {
    if (auto opened = open_consumer(); !opened) return consumer_failed(opened.error());
    if (consumer_ == nullptr) return {};
  }
  if (auto done = read(); !done) return consumer_failed(done.error());
  collect();
  resume_due();
  dispatch();
  auto committed = committer_.commit(*consumer_, stop_);
  dispatch();  // a delete waits for a commit, not for a poll
  ports_.metrics.in_flight.Set(static_cast<double>(table_.in_flight()));
  ports_.lag.moved(table_.positions());
  return committed;
}

// Leaves consumer_ empty if it is too early to try again.
Result<void> Runner::open_consumer() {
  const auto now = steady_clock::now();
  if (now < consumer_not_before_) {
    wait(std::min(options_.poll_wait, std::chrono::ceil<milliseconds>(consumer_not_before_ - now)));
    return {};
  }
  auto made = ports_.make_consumer(*this);
  if (!made) return Failure(made.error());
  consumer_ = std::move(*made);
  const std::scoped_lock lock(wake_mutex_);
  wake_target_ = consumer_.get();
  return {};
}

Result<void> Runner::read() {
  const auto now = steady_clock::now();
  const std::size_t room = options_.max_in_work - std::min(options_.max_in_work, table_.in_work());
  milliseconds patience = until_due();
  if (room == 0 && now < next_service_) {
    wait(std::min(patience, std::chrono::ceil<milliseconds>(next_service_ - now)));
    return {};
  }
  pause(room == 0 ? table_.partitions() : table_.overfull(options_.partition_window));
  if (room == 0) patience = milliseconds(0);
  const auto records = consumer_->poll(std::max<std::size_t>(room, 1), patience);
  if (!records) return Failure(records.error());
  for (const auto& record : *records) table_.admit(record);
  if (table_.in_flight() > 0) failpoint("processor.after-poll");
  next_service_ = steady_clock::now() + kServiceInterval;
  consumer_failures_ = 0;
  ready_ = true;
  return {};
}

void Runner::pause(std::span<const std::int32_t> partitions) {
  std::vector<kafka::TopicPartition> paused;
  for (const auto partition : partitions) paused.push_back({table_.input_topic(), partition});
  consumer_->pause_only(paused);
  ports_.metrics.paused_partitions.Set(static_cast<double>(paused.size()));
}

// What another consumer can't mend ends the loop; for all else there will be another consumer.
Result<void> Runner::consumer_failed(const Error& error) {
  ready_ = false;
  table_.drop_all();
  close_consumer();
  if (refusal_) return Failure(*refusal_);
  if (error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kInvalid) {
    return Failure(error);
  }
  ports_.log.error("the consumer failed and is replaced", error);
  consumer_not_before_ =
      steady_clock::now() +
      options_.work_backoff.delay(consumer_failures_++, random_fraction(ports_.random));
  return {};
}

void Runner::close_consumer() {
  if (consumer_ == nullptr) return;
  consumer_->close();
  {
    const std::scoped_lock lock(wake_mutex_);
    wake_target_ = nullptr;
  }
  consumer_.reset();
}

void Runner::collect() {
  for (auto& result : workshop_.collect()) {
    if (result.outcome) {
      table_.finish(result.ticket, std::move(*result.outcome));
      continue;
    }
    if (!table_.postpone(result.ticket)) continue;
    const auto delay = options_.work_backoff.delay(result.attempt, random_fraction(ports_.random));
    postponed_.emplace(steady_clock::now() + delay, result.ticket);
    ports_.metrics.retries.Increment();
    const Error& error = result.outcome.error();
    ports_.log.warn("a request is tried again later",
                    {{"code", error.code},
                     {"detail", error.detail},
                     {"partition", result.ticket.position.partition},
                     {"offset", result.ticket.position.offset},
                     {"attempt", result.attempt},
                     {"delay_ms", delay.count()}});
  }
}

void Runner::resume_due() {
  const auto now = steady_clock::now();
  while (!postponed_.empty() && postponed_.begin()->first <= now) {
    table_.resume(postponed_.begin()->second);
    postponed_.erase(postponed_.begin());
  }
}

void Runner::dispatch() {
  while (auto job = table_.take()) {
    const Ticket ticket = job->ticket;
    if (workshop_.submit(std::move(*job))) continue;
    table_.resume(ticket);  // revoked jobs fill the queue; they are gone in a moment
    return;
  }
}

milliseconds Runner::until_due() const {
  const auto now = steady_clock::now();
  Deadline due = now + options_.poll_wait;
  if (!postponed_.empty()) due = std::min(due, postponed_.begin()->first);
  due = std::min(due, committer_.due_at());
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(due - now));
}

Result<std::vector<kafka::PartitionOffset>> Runner::on_assigned(
    std::span<const kafka::TopicPartition> partitions) {
  const auto starts =
      consumer_->committed(partitions, options_.commit.committed_timeout, stop_)
          .and_then([&](const auto& committed) { return ports_.starts.find(committed, stop_); });
  if (!starts) {
    // Without a start they are held, and go back when the group is left, which comes next.
    if (stop_.stop_requested()) return std::vector<kafka::PartitionOffset>();
    if (starts.error().retry == Retry::kNever) refusal_ = starts.error();
    return Failure(starts.error());
  }
  std::vector<kafka::PartitionOffset> read_from;
  for (const auto& start : *starts) {
    table_.assign(start.tp.partition, start.handle_from);
    read_from.push_back({start.tp, start.read_from});
    ports_.log.info("partition assigned", {{"partition", start.tp.partition},
                                           {"offset", start.handle_from},
                                           {"warm_up_from", start.read_from}});
  }
  ports_.metrics.assigned_partitions.Set(static_cast<double>(table_.partitions().size()));
  return read_from;
}

void Runner::on_revoked(std::span<const kafka::TopicPartition> partitions) {
  collect();
  std::vector<std::int32_t> numbers;
  for (const auto& tp : partitions) numbers.push_back(tp.partition);
  committer_.commit_last(*consumer_, numbers, steady_clock::now() + options_.revoke_limit);
  drop(partitions);
}

void Runner::on_lost(std::span<const kafka::TopicPartition> partitions) { drop(partitions); }

void Runner::drop(std::span<const kafka::TopicPartition> partitions) {
  for (const auto& tp : partitions) {
    table_.drop(tp.partition);
    ports_.log.info("partition given up", {{"partition", tp.partition}});
  }
  ports_.metrics.assigned_partitions.Set(static_cast<double>(table_.partitions().size()));
}

void Runner::wake() {
  const std::scoped_lock lock(wake_mutex_);
  woken_ = true;
  wake_signal_.notify_one();
  if (wake_target_ != nullptr) wake_target_->wake();
}

void Runner::wait(milliseconds limit) {
  std::unique_lock lock(wake_mutex_);
  wake_signal_.wait_for(lock, limit, [this] { return woken_; });
  woken_ = false;
}

}  // namespace thumb
