// Stand-ins for the ports of ingest, driven by hand.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/ports.h"
#include "platform/blob_store.h"
#include "platform/clock.h"

namespace thumb::ingest::test {

class FixedClock final : public Clock {
 public:
  [[nodiscard]] TimeMs now() const override { return time_from_ms(1'700'000'000'000); }
};

// Counts up; the ids are recognisable.
class CountingIds final : public IdSource {
 public:
  ImageId new_image_id() override { return {next(0xA0)}; }
  RequestId new_request_id() override { return {next(0xB0)}; }
  std::string traceparent(std::optional<std::string_view> incoming) override {
    return std::string(
        incoming.value_or("00-11111111111111111111111111111111-2222222222222222-01"));
  }

 private:
  UuidBytes next(std::uint8_t kind) {
    const std::lock_guard lock(mutex_);
    UuidBytes bytes{};
    bytes[0] = kind;
    bytes[15] = ++count_;
    return bytes;
  }
  std::mutex mutex_;
  std::uint8_t count_ = 0;
};

// Keeps what was published. Acknowledges at once (all on partition 1, offsets from 100) unless told
// to hold or to fail.
class FakeLog final : public EventLog {
 public:
  struct Published {
    Event event;
    std::string traceparent;
  };

  void publish(const Event& event, const std::string& traceparent, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      published_.push_back({event, traceparent});
      if (holding_) {
        held_.push_back(std::move(done));
        changed_.notify_all();
        return;
      }
    }
    answer(done);
  }

  // From now on fails the events after the next `after` ones.
  void fail_after(std::size_t after) {
    const std::lock_guard lock(mutex_);
    fail_from_ = published_.size() + after;
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  // Acknowledges the oldest held event, waiting for there to be one.
  void release_one() {
    Done done;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !held_.empty(); });
      done = std::move(held_.front());
      held_.pop_front();
    }
    answer(done);
  }

  [[nodiscard]] std::vector<Published> published() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }

 private:
  void answer(const Done& done) {
    Result<LogPosition> outcome;
    {
      const std::lock_guard lock(mutex_);
      if (answered_ >= fail_from_) {
        outcome = fail_transient(ErrorKind::kTimeout, "produce-timeout", "too slow");
      } else {
        outcome = LogPosition{1, static_cast<std::int64_t>(100 + answered_)};
      }
      ++answered_;
    }
    done(outcome);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Published> published_;
  std::deque<Done> held_;
  bool holding_ = false;
  std::size_t answered_ = 0;
  std::size_t fail_from_ = static_cast<std::size_t>(-1);
};

// Answers the end of a partition when told to.
class FakeEnds final : public LogEnds {
 public:
  Result<std::int64_t> end_of(std::int32_t partition) override {
    std::unique_lock lock(mutex_);
    ++questions_[partition];
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_ || permits_ > 0; });
    if (!open_) --permits_;
    if (away_) return fail_transient(ErrorKind::kUnavailable, "kafka-unavailable", "away");
    return ends_[partition];
  }

  void set_end(std::int32_t partition, std::int64_t end) {
    const std::lock_guard lock(mutex_);
    ends_[partition] = end;
  }
  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  // Questions stay unanswered until one is let through, or all are again.
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void let_one_through() {
    const std::lock_guard lock(mutex_);
    ++permits_;
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Blocks until this many questions were put, answered or not.
  void wait_for_questions(std::int32_t partition, int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return questions_[partition] >= count; });
  }
  [[nodiscard]] int questions(std::int32_t partition) {
    const std::lock_guard lock(mutex_);
    return questions_[partition];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int32_t, std::int64_t> ends_;
  std::map<std::int32_t, int> questions_;
  bool open_ = true;
  bool away_ = false;
  int permits_ = 0;
};

// A store in front of another whose commits fail when told to.
class FailingBlobs final : public BlobStore {
 public:
  explicit FailingBlobs(BlobStore& inner) : inner_(inner) {}

  bool fail_create = false;
  bool fail_commit = false;

  Result<std::unique_ptr<BlobWriter>> create() override {
    if (fail_create) return disk_full();
    auto writer = inner_.create();
    if (!writer) return Failure(writer.error());
    return std::make_unique<Writer>(*this, std::move(*writer));
  }
  Result<std::unique_ptr<BlobReader>> open(std::string_view key) override {
    return inner_.open(key);
  }
  Result<void> remove_all(std::string_view prefix) override { return inner_.remove_all(prefix); }

 private:
  static Failure disk_full() {
    return fail_transient(ErrorKind::kUnavailable, "io-error", "The disk is full.");
  }

  class Writer final : public BlobWriter {
   public:
    Writer(FailingBlobs& owner, std::unique_ptr<BlobWriter> inner)
        : owner_(owner), inner_(std::move(inner)) {}
    Result<void> write(ByteView bytes) override { return inner_->write(bytes); }
    Result<ByteView> contents() override { return inner_->contents(); }
    Result<void> commit(std::string_view key) override {
      if (owner_.fail_commit) return disk_full();
      return inner_->commit(key);
    }

   private:
    FailingBlobs& owner_;
    std::unique_ptr<BlobWriter> inner_;
  };

  BlobStore& inner_;
};

}  // namespace thumb::ingest::test
