// Composition root of the processor: settings, adapters, the loop.
#include <fmt/format.h>

#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "kafka/topic_provisioner.h"
#include "platform/fs_blob_store.h"
#include "platform/http/admin_routes.h"
#include "platform/metrics.h"
#include "platform/stop_signal.h"
#include "platform/text.h"
#include "processor/dlq_main.h"
#include "processor/handler.h"
#include "processor/image/magick_thumbnail_maker.h"
#include "processor/runner.h"
#include "processor/sandbox/sandboxed_thumbnail_maker.h"
#include "processor/sandbox/zygote.h"
#include "processor/settings.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopLimit{9'000};  // a stop ends within 10 s, whatever hangs

// Ends the process if an ordered stop takes too long. What was not committed is handed back by
// that: it belongs to nobody, and the group gives it to another member.
class StopWatchdog {
 public:
  explicit StopWatchdog(const std::stop_token& stop)
      : thread_([this, stop](const std::stop_token& disarmed) { watch(stop, disarmed); }) {}

 private:
  void watch(const std::stop_token& stop, const std::stop_token& disarmed) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    const std::stop_callback on_stop(stop, [&] {
      { const std::scoped_lock wait_for_waiter(mutex); }
      changed.notify_all();
    });
    if (!changed.wait(lock, disarmed, [&] { return stop.stop_requested(); })) return;
    const bool ended = changed.wait_for(lock, disarmed, kStopLimit, [] { return false; }) ||
                       disarmed.stop_requested();
    if (!ended) std::_Exit(kExitClean);
  }
  std::jthread thread_;
};

SandboxOptions sandbox_options(const ProcessorSettings& settings) {
  SandboxOptions options;
  options.workers = settings.worker_count();
  options.memory_bytes = static_cast<std::uint64_t>(settings.image_memory_bytes);
  options.max_original_bytes = static_cast<std::uint64_t>(settings.max_original_bytes);
  options.max_pixels = static_cast<std::uint64_t>(settings.max_pixels);
  return options;
}

Result<void> run_processor(const ProcessorSettings& settings, const std::stop_token& stop,
                           Log& log) {
  const auto cluster = kafka::cluster_config(settings.common, "thumbstream-processor");
  const TopicNames names(settings.common.topic_prefix);
  const RandomBytes random = system_random_bytes();
  const SystemClock clock;
  Metrics metrics;
  ProcessorMetrics processor_metrics(metrics);
  const auto maker = SandboxedThumbnailMaker::start(sandbox_options(settings), log, metrics);
  if (!maker) return Failure(maker.error());

  auto blobs = FsBlobStore::open_existing(settings.common.blob_dir());
  if (!blobs) return Failure(blobs.error());
  auto admin = kafka::make_admin(cluster, log);
  if (!admin) return Failure(admin.error());
  const std::string topics[] = {
      names.of(Topic::kImageRequests), names.of(Topic::kThumbnailCompleted),
      names.of(Topic::kThumbnailFailed), names.of(Topic::kThumbnailStarted),
      names.of(Topic::kImageRequestsDlq)};
  const auto there = kafka::await_topics(**admin, topics, settings.startup_timeout, stop, log);
  if (stop.stop_requested()) return {};
  if (!there) return Failure(there.error());
  auto reader = kafka::make_partition_reader(cluster, {}, log);
  if (!reader) return Failure(reader.error());
  auto hints = kafka::make_producer(cluster, {}, log);
  if (!hints) return Failure(hints.error());

  const MakeLimits limits{static_cast<std::uint64_t>(settings.max_pixels), settings.decode_timeout};
  RequestHandler handler({**blobs, **maker, **hints, clock, random, log, processor_metrics}, names,
                         {limits, static_cast<std::uint64_t>(settings.max_original_bytes)});
  StartFinder starts(names, **admin, **reader, clock,
                     {settings.group_id(), settings.common.bootstrap()});

  auto lag_reader =
      kafka::make_partition_reader(cluster, {.queue_bytes = kafka::kLagReaderBytes}, log);
  if (!lag_reader) return Failure(lag_reader.error());
  PartitionLag lag(metrics, **admin, **lag_reader, names.of(Topic::kImageRequests));
  kafka::GroupOptions group;
  group.group_id = settings.group_id();
  group.topic = names.of(Topic::kImageRequests);
  // Unique per process: zombies are fenced by the group metadata, and a producer that replaces
  // another of this process settles what that one left open.
  const auto unique = random_array<12>(random);
  kafka::TransactionOptions transactions;
  transactions.transactional_id =
      settings.group_id() + "-" + to_hex(std::as_bytes(std::span(unique)));
  RunnerOptions options;
  // More than decoders, so that these decode while others fetch and store.
  options.workers = 2 * settings.worker_count() + 2;
  options.max_in_work = static_cast<std::size_t>(settings.max_in_work);
  options.partition_window = 4 * options.max_in_work;
  options.commit.max_batch = static_cast<std::size_t>(settings.batch);
  options.commit.linger = settings.linger;
  options.commit.busy_above = settings.worker_count();
  Runner runner(
      {[&](kafka::RebalanceListener& listener) {
         return kafka::make_group_consumer(cluster, group, listener, log);
       },
       [&] { return kafka::make_transactional_producer(cluster, transactions, log, stop); },
       [&](const Job& job) { return handler.handle(*job.work, job.attempt, job.revoked); }, starts,
       random, log, processor_metrics, lag},
      names, options);

  http::Router router;
  http::add_admin_routes(router, metrics, [&] { return runner.ready() && (*maker)->healthy(); });
  const auto server = http::serve_admin(settings.common.admin_port, router, log, metrics);
  if (!server) return Failure(server.error());
  log.info("processor started", {{"group", settings.group_id()},
                                 {"workers", settings.worker_count()},
                                 {"transactional_id", transactions.transactional_id}});
  auto ended = runner.run(stop);
  if (*server != nullptr) (*server)->stop(milliseconds(500));
  log.info("processor stopped");
  return ended;
}

int main_with(int argc, const char* const* argv) {
  Settings declared("processor", "Makes the thumbnails that image-requests asks for, exactly once");
  ProcessorSettings settings;
  settings.declare(declared);
  dlq::CommandLine dead_letters;
  dead_letters.declare(declared);
  if (const auto exit = declared.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  if (dead_letters.verb != dlq::CommandLine::Verb::kNone) {
    return run_dlq(dead_letters, settings.common);
  }
  StopSignal stop;
  Log log("processor", settings.common.level());
  const StopWatchdog watchdog(stop.token());
  const auto done = run_processor(settings, stop.token(), log);
  if (done) return kExitClean;
  log.error("processor ends", done.error());
  std::cerr << fmt::format("processor: {}: {}\n", done.error().code, done.error().message);
  return kExitRuntime;
}

// The process that this binary becomes to fork its decoders from.
int zygote_with(int argc, const char* const* argv) {
  std::unique_ptr<MagickRuntime> magick;
  const auto decoder = [&](const DecoderSetup& setup) -> Result<std::unique_ptr<ThumbnailMaker>> {
    MagickOptions options;
    options.memory_bytes = setup.memory_bytes;
    auto started = MagickRuntime::start(options);
    if (!started) return Failure(started.error());
    magick = std::move(*started);
    return std::make_unique<MagickThumbnailMaker>(*magick, setup.reserve);
  };
  return zygote_main(argc, argv, decoder);
}

}  // namespace
}  // namespace thumb

int main(int argc, char** argv) {
  if (thumb::is_zygote(argc, argv)) return thumb::zygote_with(argc, argv);
  return thumb::main_with(argc, argv);
}
