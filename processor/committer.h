// Carries finished work into transactions, and knows what to do when one fails: the same again, a
// new producer, or a look at what the group has committed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/transactional_producer.h"
#include "platform/log.h"
#include "processor/backoff.h"
#include "processor/processor_metrics.h"
#include "processor/random_bytes.h"
#include "processor/work_table.h"

namespace thumb {

struct CommitterOptions {
  std::size_t max_batch = 500;  // input records in one transaction
  // How long finished work waits for company while more than `busy_above` requests are in work.
  std::chrono::milliseconds linger{0};
  std::size_t busy_above = 0;
  // Longer than the broker lets a transaction stand open: it answers only when that is decided.
  std::chrono::milliseconds committed_timeout{15'000};
  Backoff backoff;
};

// For one thread. REQUIRES: what the constructor takes outlives it.
class Committer {
 public:
  using MakeProducer = std::function<Result<std::unique_ptr<kafka::TransactionalProducer>>()>;

  Committer(WorkTable& table, MakeProducer make_producer, RandomBytes random, Log& log,
            ProcessorMetrics& metrics, CommitterOptions options);

  // One transaction with everything that may be committed now, unless it is too early: after a
  // failure, or since company is on its way. What failed stays in the table and goes with a later
  // call.
  // Error: the batch can't be written however often it is tried (kTooLarge); the process must end.
  // `stop` ends a wait for the group's answer.
  [[nodiscard]] Result<void> commit(kafka::GroupConsumer& consumer, const std::stop_token& stop);

  // The partitions are about to go: one last batch of them, tried again until `deadline`.
  void commit_last(kafka::GroupConsumer& consumer, std::span<const std::int32_t> partitions,
                   Deadline deadline);

  // When commit() has something to do, as things stand.
  [[nodiscard]] Deadline due_at() const;

 private:
  [[nodiscard]] bool due();
  [[nodiscard]] bool prepare(kafka::GroupConsumer& consumer, const std::stop_token& stop);
  [[nodiscard]] Result<void> try_batch(kafka::GroupConsumer& consumer, const Batch& batch);
  void settle(std::span<const kafka::PartitionOffset> offsets);
  void note_failure(std::string_view what, const Error& error);

  WorkTable& table_;
  MakeProducer make_producer_;
  RandomBytes random_;
  Log& log_;
  ProcessorMetrics& metrics_;
  CommitterOptions options_;

  std::unique_ptr<kafka::TransactionalProducer> producer_;
  bool outcome_unknown_ = false;  // of the transaction tried last
  unsigned failures_ = 0;         // in a row
  Deadline not_before_{};
  std::optional<Deadline> gathering_until_;  // finished work waits for company
};

}  // namespace thumb
