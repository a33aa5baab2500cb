// Composition root of ingest: settings, adapters, and an end in order.
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <mutex>

#include "ingest/service.h"
#include "ingest/settings.h"
#include "kafka/clients.h"
#include "kafka/topic_provisioner.h"
#include "platform/fs_blob_store.h"
#include "platform/stop_signal.h"
#include "state_projector/local_view_reader.h"

namespace thumb::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStartupQuestion{3'000};  // one round of questions while waiting for topics
constexpr milliseconds kStartupPause{500};

// Waits until all topics are there, with one partition count; tells why it waits.
Result<std::int32_t> await_topics(kafka::Admin& admin, const TopicNames& names, milliseconds limit,
                                  const std::stop_token& stop, Log& log) {
  std::vector<std::string> topics;
  topics.reserve(kAllTopics.size());
  for (const auto topic : kAllTopics) topics.push_back(names.of(topic));
  const auto deadline = steady_clock::now() + limit;
  std::mutex mutex;
  std::condition_variable_any pause;
  for (;;) {
    auto count = kafka::require_topics(admin, topics, kStartupQuestion);
    const bool can_mend = !count && count.error().kind != ErrorKind::kConflict;
    if (!can_mend || steady_clock::now() >= deadline || stop.stop_requested()) return count;
    log.warn("waiting for Kafka and its topics", {{"code", count.error().code},
                                                  {"error", count.error().message},
                                                  {"detail", count.error().detail}});
    std::unique_lock lock(mutex);
    pause.wait_for(lock, stop, kStartupPause, [] { return false; });
  }
}

Failure not_there(Error error, const std::string& bootstrap) {
  error.message = fmt::format("Cannot start with Kafka at {}: {}", bootstrap, error.message);
  return Failure(std::move(error));
}

Result<void> run(const IngestSettings& settings, StopSignal& stop, Log& log) {
  const TopicNames names(settings.common.topic_prefix);
  const kafka::ClusterConfig cluster{settings.common.bootstrap(), "thumbstream-ingest",
                                     settings.common.kafka_overrides()};
  auto blobs = FsBlobStore::open_root(settings.common.blob_dir());
  if (!blobs) return Failure(blobs.error());
  auto admin = kafka::make_admin(cluster, log);
  if (!admin) return Failure(admin.error());
  const auto partitions = await_topics(**admin, names, settings.startup_timeout, stop.token(), log);
  if (stop.token().stop_requested()) return {};
  if (!partitions) return not_there(partitions.error(), cluster.bootstrap);
  auto producer =
      kafka::make_producer(cluster, {.delivery_timeout = settings.produce_timeout}, log);
  if (!producer) return Failure(producer.error());

  LocalViewReader view({.view_dir = settings.common.view_dir()}, log);

  Service service(settings.service(*partitions), {**blobs, **admin, **producer, view, names, log});
  if (auto started = service.start(); !started) return started;
  stop.wait();
  if (service.stop()) return {};
  // Some wait for Kafka longer than a stop may take. Their clients were cut off, which promises
  // nothing; their callbacks still use what would be destroyed now, so leave it to the kernel.
  log.warn("stopped with requests unanswered");
  ::_exit(kExitClean);
}

int main_with(int argc, const char* const* argv) {
  Settings settings("ingest", "Takes images in over HTTP and answers what became of them");
  IngestSettings values;
  values.declare(settings);
  settings.app().require_subcommand(0, 1);
  const auto* check = settings.app().add_subcommand(
      "check-config", "Only check the settings: prints ok, or everything that is wrong with them");
  if (const auto exit = settings.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  if (check->parsed()) {
    std::cout << "ok\n";
    return kExitClean;
  }
  StopSignal stop;
  Log log("ingest", values.common.level());
  const auto done = run(values, stop, log);
  if (done) return kExitClean;
  log.error("ingest ends", done.error());
  return kExitRuntime;
}

}  // namespace
}  // namespace thumb::ingest

int main(int argc, char** argv) { return thumb::ingest::main_with(argc, argv); }
