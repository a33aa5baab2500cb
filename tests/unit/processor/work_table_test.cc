// The books of the processor, against a model of the broker: whatever the order of finishing, the
// faults and the rebalances, each request gets exactly one terminal event.
#include "processor/work_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <set>

#include "tests/unit/processor/request_records.h"

namespace thumb {
namespace {

using namespace testing;

constexpr std::size_t kAll = 1'000'000;

Outcome completed_outcome(const Job& job) {
  const auto& base = base_of(*job.work);
  if (is_deletion(*job.work)) return {Ending::kDeleted, {}};
  return {Ending::kCompleted,
          {out_record(completed(base.image_id, base.request_id, job.ticket.position))}};
}

TEST(WorkTable, WhatFinishesUnderAnOlderAssignmentIsIgnored) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.admit(in_record(uploaded(image_id(1)), {0, 0}));
  const auto old_job = table.take();
  ASSERT_TRUE(old_job);
  table.drop(0);
  EXPECT_TRUE(old_job->revoked.stop_requested());
  table.assign(0, 0);
  EXPECT_FALSE(table.finish(old_job->ticket, completed_outcome(*old_job)));
  table.admit(in_record(uploaded(image_id(1)), {0, 0}));
  EXPECT_FALSE(table.finish(old_job->ticket, completed_outcome(*old_job)));
  EXPECT_TRUE(table.next_batch(kAll).offsets.empty());
  const auto new_job = table.take();
  ASSERT_TRUE(new_job);
  EXPECT_TRUE(table.finish(new_job->ticket, completed_outcome(*new_job)));
  EXPECT_EQ(table.next_batch(kAll).outputs.size(), 1U);
}

TEST(WorkTable, RecordsBelowTheStartOnlyWarmUpTheFilter) {
  WorkTable table(kInput, kNames);
  table.assign(0, 2);
  table.admit(in_record(uploaded(image_id(1)), {0, 0}));
  table.admit(poison_at({0, 1}));
  EXPECT_EQ(table.in_flight(), 0U);
  table.admit(in_record(uploaded(image_id(1)), {0, 2}));
  EXPECT_FALSE(table.take());
  const Batch batch = table.next_batch(kAll);
  EXPECT_TRUE(batch.outputs.empty());
  ASSERT_EQ(batch.offsets.size(), 1U);
  EXPECT_EQ(batch.offsets[0].offset, 3);
  EXPECT_EQ(table.settle(0, 3), std::vector{Ending::kRepeat});
}

TEST(WorkTable, APoisonRecordGoesToTheDeadLettersAndTheStreamGoesOn) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.admit(poison_at({0, 0}));
  table.admit(in_record(uploaded(image_id(1)), {0, 1}));
  const auto job = table.take();
  ASSERT_TRUE(job);
  table.finish(job->ticket, completed_outcome(*job));
  const Batch batch = table.next_batch(kAll);
  ASSERT_EQ(batch.outputs.size(), 2U);
  EXPECT_EQ(batch.outputs[0].topic, "t.image-requests-dlq");
  EXPECT_EQ(batch.outputs[1].topic, "t.thumbnail-completed");
  EXPECT_EQ(batch.offsets[0].offset, 2);
}

TEST(WorkTable, WhatIsMadeOfARecordStandsInItsPartition) {
  WorkTable table(kInput, kNames);
  for (const std::int32_t partition : {0, 5}) {
    table.assign(partition, 0);
    table.admit(poison_at({partition, 0}));
    table.admit(in_record(uploaded(image_id(1)), {partition, 1}));
    const auto job = table.take();
    ASSERT_TRUE(job);
    table.finish(job->ticket, completed_outcome(*job));
    const std::int32_t only[] = {partition};
    const Batch batch = table.next_batch(kAll, only);
    ASSERT_EQ(batch.outputs.size(), 2U);
    for (const auto& output : batch.outputs) EXPECT_EQ(output.partition, partition) << output.topic;
  }
}

TEST(WorkTable, DeadLettersCanBeShortenedUntilTheyOnlySayWhatHappened) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.admit(poison_at({0, 0}));
  EXPECT_TRUE(table.shorten_dead_letters());
  const OutRecord without_value = table.next_batch(kAll).outputs.at(0);
  EXPECT_EQ(without_value.value, std::nullopt);
  EXPECT_EQ(without_value.key, "some key");
  EXPECT_EQ(header_of(without_value.headers, "origin"), "test");

  EXPECT_TRUE(table.shorten_dead_letters());
  EXPECT_FALSE(table.shorten_dead_letters());
  const OutRecord bare = table.next_batch(kAll).outputs.at(0);
  EXPECT_EQ(bare.key, "");
  EXPECT_EQ(header_of(bare.headers, "origin"), "");
  EXPECT_EQ(header_of(bare.headers, "__connect.errors.offset"), "0");
}

TEST(WorkTable, PostponedWorkKeepsItsOffsetUncommitted) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.admit(in_record(uploaded(image_id(1)), {0, 0}));
  const auto first = table.take();
  EXPECT_TRUE(table.postpone(first->ticket));
  EXPECT_FALSE(table.take());
  EXPECT_TRUE(table.next_batch(kAll).offsets.empty());
  EXPECT_TRUE(table.resume(first->ticket));
  const auto second = table.take();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->attempt, 1U);
}

TEST(WorkTable, IsOverfullFromTheWindowDownToHalfOfIt) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.assign(1, 0);
  std::vector<Job> jobs;
  for (std::uint8_t n = 0; n < 4; ++n) {
    EXPECT_TRUE(table.overfull(4).empty());
    table.admit(in_record(uploaded(image_id(n)), {1, n}));
    jobs.push_back(*table.take());
  }
  EXPECT_EQ(table.overfull(4), std::vector{1});
  for (const auto& job : jobs) table.finish(job.ticket, completed_outcome(job));
  EXPECT_EQ(table.in_work(), 0U);
  EXPECT_EQ(table.ready(), 4U);
  table.settle(1, 1);
  EXPECT_EQ(table.overfull(4), std::vector{1});
  table.settle(1, 2);
  EXPECT_TRUE(table.overfull(4).empty());
}

TEST(WorkTable, IsOverfullWhileWorkIsPutOff) {
  WorkTable table(kInput, kNames);
  table.assign(0, 0);
  table.admit(in_record(uploaded(image_id(1)), {0, 0}));
  const auto first = table.take();
  table.postpone(first->ticket);
  EXPECT_EQ(table.overfull(100), std::vector{0});
  table.resume(first->ticket);
  const auto second = table.take();
  EXPECT_EQ(table.overfull(100), std::vector{0});  // it may fail once more
  table.finish(second->ticket, completed_outcome(*second));
  EXPECT_TRUE(table.overfull(100).empty());
}

// --- the model ---

// A log of requests, repeats and poison over a few partitions, and a broker that commits all or
// nothing. Everything happens on one thread, in an order that rapidcheck chooses.
class Model {
 public:
  static constexpr std::int32_t kPartitions = 2;

  Model() {
    const auto kinds = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20));
    std::uint8_t next_request = 100;
    for (const int kind : kinds) append(kind, next_request);
    for (std::int32_t p = 0; p < kPartitions; ++p) table_.assign(p, 0);
  }

  void step(int choice) {
    switch (choice % 12) {
      case 0:
      case 1:
      case 2:
        read();
        break;
      case 3:
      case 4:
        take();
        break;
      case 5:
      case 6:
        finish(pick());
        break;
      case 7:
        postpone(pick());
        break;
      case 8:
        commit(/*takes_effect=*/true, /*known=*/true);
        break;
      case 9:
        commit(pick() % 2 == 0, /*known=*/pick() % 2 == 0);
        break;
      case 10:
        rebalance(static_cast<std::int32_t>(pick() % kPartitions));
        break;
      case 11:
        finish_stale();
        break;
    }
  }

  void drain() {
    for (int round = 0; round < 10'000 && !done(); ++round) {
      read();
      take();
      for (const auto& ticket : postponed_) table_.resume(ticket);
      postponed_.clear();
      finish(0);
      commit(true, true);
    }
  }

  [[nodiscard]] bool done() const {
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      if (committed_[p] != std::ssize(log_[p])) return false;
    }
    return true;
  }

  void check_counts() const {
    const std::size_t finished = table_.in_flight() - table_.in_work();
    RC_ASSERT(table_.ready() <= finished);
    if (table_.in_work() == 0) RC_ASSERT(table_.ready() == finished);
    RC_ASSERT((table_.ready() == 0) == table_.next_batch(kAll).offsets.empty());
  }

  // Each distinct request once, each poison record once.
  void check() const {
    std::multiset<std::string> terminals;
    for (const auto& output : outputs_) {
      terminals.insert(output.topic + header_of(output.headers, "ce_id") +
                       header_of(output.headers, "__connect.errors.partition") + "/" +
                       header_of(output.headers, "__connect.errors.offset"));
    }
    RC_ASSERT(terminals == expected_);
  }

 private:
  void append(int kind, std::uint8_t& next_request) {
    const auto partition = static_cast<std::int32_t>(kind % kPartitions);
    auto& log = log_[partition];
    const LogPosition position{partition, std::ssize(log)};
    // A few images each, so that keys meet.
    const ImageId image = image_id(static_cast<std::uint8_t>(partition * 10 + kind % 3));
    if (kind == 19) {
      log.push_back(poison_at(position));
      expected_.insert("t.image-requests-dlq" + std::to_string(partition) + "/" +
                       std::to_string(position.offset));
    } else if (kind >= 16 && !log.empty()) {  // a repeat of something earlier
      InRecord again = log[static_cast<std::size_t>(kind) % log.size()];
      if (!understand(again)) return append(0, next_request);
      again.position = position;
      log.push_back(again);
    } else if (kind >= 13) {
      log.push_back(in_record(deleted(image, request_id(next_request++)), position));
    } else {
      const RequestId request = request_id(next_request++);
      log.push_back(in_record(requested(image, request), position));
      expected_.insert("t.thumbnail-completed" + request.str() + ":thumbnail-completed/");
    }
  }

  std::size_t pick() { return *rc::gen::inRange<std::size_t>(0, 1'000); }

  void read() {
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      if (position_[p] < std::ssize(log_[p])) {
        table_.admit(log_[p][static_cast<std::size_t>(position_[p]++)]);
      }
    }
  }

  void take() {
    while (auto job = table_.take()) {
      check_order(*job);
      running_.push_back(*job);
    }
  }

  // Nothing of the same key runs at once; a delete runs when all before it is committed.
  void check_order(const Job& job) const {
    const auto& position = job.ticket.position;
    const auto& mine = log_[position.partition];
    const std::string& key = mine[static_cast<std::size_t>(position.offset)].key;
    for (const auto& other : running_) {
      if (other.revoked.stop_requested()) continue;
      RC_ASSERT(base_of(*other.work).image_id.str() != key);
    }
    if (!is_deletion(*job.work)) return;
    for (auto offset = committed_[position.partition]; offset < position.offset; ++offset) {
      const auto& before = mine[static_cast<std::size_t>(offset)];
      RC_ASSERT(before.key != key || repeats_earlier(position.partition, offset));
    }
  }

  [[nodiscard]] bool repeats_earlier(std::int32_t partition, std::int64_t offset) const {
    const auto& log = log_[partition];
    for (std::int64_t i = 0; i < offset; ++i) {
      if (log[static_cast<std::size_t>(i)].headers ==
          log[static_cast<std::size_t>(offset)].headers) {
        return true;
      }
    }
    return false;
  }

  void finish(std::size_t which) {
    if (running_.empty()) return;
    const auto at = running_.begin() + static_cast<std::ptrdiff_t>(which % running_.size());
    table_.finish(at->ticket, completed_outcome(*at));
    if (at->revoked.stop_requested()) stale_.push_back(*at);
    running_.erase(at);
  }

  void postpone(std::size_t which) {
    if (running_.empty()) return;
    const auto at = running_.begin() + static_cast<std::ptrdiff_t>(which % running_.size());
    if (table_.postpone(at->ticket)) postponed_.push_back(at->ticket);
    running_.erase(at);
  }

  void finish_stale() {
    for (const auto& job : stale_) RC_ASSERT(!table_.finish(job.ticket, completed_outcome(job)));
  }

  void commit(bool takes_effect, bool known) {
    const Batch batch = table_.next_batch(*rc::gen::inRange<std::size_t>(1, 50));
    if (takes_effect) apply(batch);
    if (takes_effect && known) {
      for (const auto& [tp, offset] : batch.offsets) table_.settle(tp.partition, offset);
    } else if (!known) {  // the group's offsets tell
      for (std::int32_t p = 0; p < kPartitions; ++p) table_.settle(p, committed_[p]);
    }
  }

  void apply(const Batch& batch) {
    outputs_.insert(outputs_.end(), batch.outputs.begin(), batch.outputs.end());
    for (const auto& [tp, offset] : batch.offsets) {
      RC_ASSERT(offset > committed_[tp.partition]);
      committed_[tp.partition] = offset;
    }
  }

  // The partition goes and comes back: with a last commit or, lost, without one.
  void rebalance(std::int32_t partition) {
    const std::int32_t only[] = {partition};
    if (pick() % 2 == 0) apply(table_.next_batch(kAll, only));
    table_.drop(partition);
    table_.assign(partition, committed_[partition]);
    position_[partition] = 0;  // the whole log is within the window: all of it warms up
  }

  WorkTable table_{kInput, kNames};
  std::vector<InRecord> log_[kPartitions];
  std::int64_t position_[kPartitions] = {};
  std::int64_t committed_[kPartitions] = {};
  std::multiset<std::string> expected_;
  std::vector<OutRecord> outputs_;
  std::deque<Job> running_;
  std::deque<Job> stale_;
  std::vector<Ticket> postponed_;
};

RC_GTEST_PROP(WorkTable, EachRequestGetsExactlyOneTerminalEvent, ()) {
  Model model;
  const auto choices = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12));
  for (const int choice : choices) {
    model.step(choice);
    model.check_counts();
  }
  model.drain();
  RC_ASSERT(model.done());
  model.check();
}

}  // namespace
}  // namespace thumb
