// Fills the topics with many events, as the services would have written them: for measuring, and
// comparing, what folds them.
#include <fmt/format.h>

#include <condition_variable>
#include <iostream>
#include <mutex>

#include "bench/events/event_stream.h"
#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "platform/common_settings.h"

namespace thumb::bench {
namespace {

constexpr std::size_t kInFlight = 20'000;
constexpr std::size_t kTransactionRecords = 2'000;

struct EventSettings {
  CommonSettings common;
  std::int64_t count = 1'000'000;
  std::int64_t seed = 1;

  void declare(Settings& settings) {
    common.declare(settings);
    settings.integer("--count", count, 1, 1'000'000'000, "Records to write");
    settings.integer("--seed", seed, 0, 1'000'000'000, "The same seed gives the same events");
  }
};

// Nobody's membership: a transaction without offsets needs none.
class NoGroup final : public kafka::GroupMetadata {};

// Records that are not part of a transaction, many under way at once.
class Plain {
 public:
  explicit Plain(kafka::Producer& producer) : producer_(producer) {}

  void write(OutRecord record) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return in_flight_ < kInFlight; });
      ++in_flight_;
    }
    producer_.produce(std::move(record), [this](const Result<LogPosition>& written) {
      const std::lock_guard lock(mutex_);
      if (!written) failure_ = written.error();
      --in_flight_;
      changed_.notify_one();
    });
  }

  // When all are written. REQUIRES: called last.
  [[nodiscard]] Result<void> finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return in_flight_ == 0; });
    if (failure_) return Failure(*failure_);
    return {};
  }

 private:
  kafka::Producer& producer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t in_flight_ = 0;
  std::optional<Error> failure_;
};

Result<void> write_all(const EventSettings& settings, Log& log) {
  const auto cluster = kafka::cluster_config(settings.common, "thumbstream-bench-events");
  const TopicNames names(settings.common.topic_prefix);
  auto producer = kafka::make_producer(
      cluster,
      {.delivery_timeout = std::chrono::seconds(60), .linger = std::chrono::milliseconds(20)}, log);
  if (!producer) return Failure(producer.error());
  auto transactions = kafka::make_transactional_producer(
      cluster, {.transactional_id = "thumbstream-bench-events"}, log);
  if (!transactions) return Failure(transactions.error());

  Plain plain(**producer);
  EventStream events(static_cast<std::uint64_t>(settings.seed), names);
  std::vector<OutRecord> terminal;
  const auto commit = [&] {
    auto done = (*transactions)->commit_batch(terminal, {}, NoGroup());
    terminal.clear();
    return done;
  };
  for (std::int64_t left = settings.count; left > 0; --left) {
    auto record = events.next();
    const auto topic = names.find(record.topic);
    if (topic && role_of(*topic).transactional) {
      terminal.push_back(std::move(record));
    } else {
      plain.write(std::move(record));
    }
    if (terminal.size() < kTransactionRecords) continue;
    if (auto done = commit(); !done) return done;
  }
  if (auto done = commit(); !done) return done;
  return plain.finish();
}

int main_with(int argc, const char* const* argv) {
  Settings declared("bench_events", "Fills the topics with events, for measuring what folds them");
  EventSettings settings;
  settings.declare(declared);
  if (const auto exit = declared.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  Log log("bench_events", settings.common.level());
  const auto written = write_all(settings, log);
  if (written) return kExitClean;
  std::cerr << fmt::format("bench_events: {}: {}: {}\n", written.error().code,
                           written.error().message, written.error().detail);
  return kExitRuntime;
}

}  // namespace
}  // namespace thumb::bench

int main(int argc, char** argv) { return thumb::bench::main_with(argc, argv); }
