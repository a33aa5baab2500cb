// Composition root of ingest: settings, adapters, and an end in order.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "ingest/service.h"
#include "ingest/settings.h"
#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "kafka/topic_provisioner.h"
#include "platform/fs_blob_store.h"
#include "platform/stop_signal.h"
#include "state_projector/local_view_reader.h"
#include "state_projector/remote_view_reader.h"

namespace thumb::ingest {
namespace {

constexpr std::chrono::seconds kAskLimit{10};

Failure not_there(Error error, const std::string& bootstrap) {
  error.message = fmt::format("Cannot start with Kafka at {}: {}", bootstrap, error.message);
  return Failure(std::move(error));
}

std::unique_ptr<ViewReader> make_view(const IngestSettings& settings, Log& log) {
  if (!settings.view_url.empty()) {
    return std::make_unique<RemoteViewReader>(RemoteViewOptions{.url = settings.view_url}, log);
  }
  return std::make_unique<LocalViewReader>(LocalViewOptions{.view_dir = settings.common.view_dir()},
                                           log);
}

// A store is made for a log that holds nothing yet. Where images were accepted before, one that is
// not there is on a disk that is not mounted: another one in its place would take bytes that the
// disk hides later, and all others would seem to be gone.
Result<std::unique_ptr<FsBlobStore>> open_blobs(const std::filesystem::path& root,
                                                kafka::Admin& admin, const std::string& requests,
                                                std::int32_t partitions, Log& log) {
  if (FsBlobStore::is_there(root)) return FsBlobStore::open_root(root);
  std::vector<kafka::TopicPartition> asked;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    asked.push_back({requests, partition});
  }
  const auto marks = admin.watermarks_of(asked, kAskLimit);
  if (!marks) return Failure(marks.error());
  if (std::ranges::any_of(*marks, [](const auto& mark) { return mark.second.high > 0; })) {
    log.error(
        "there is no blob store, although images were accepted before: is its disk mounted? "
        "(If it is lost, create the folders objects and staging in it.)",
        {{"folder", root.string()}});
    return FsBlobStore::open_existing(root);
  }
  return FsBlobStore::open_root(root);
}

Result<void> run(const IngestSettings& settings, StopSignal& stop, Log& log) {
  const TopicNames names(settings.common.topic_prefix);
  const auto cluster = kafka::cluster_config(settings.common, "thumbstream-ingest");
  auto admin = kafka::make_admin(cluster, log);
  if (!admin) return Failure(admin.error());
  std::vector<std::string> topics;
  for (const auto topic : kAllTopics) topics.push_back(names.of(topic));
  const auto partitions =
      kafka::await_topics(**admin, topics, settings.startup_timeout, stop.token(), log);
  if (stop.token().stop_requested()) return {};
  if (!partitions) return not_there(partitions.error(), cluster.bootstrap);
  auto blobs = open_blobs(settings.common.blob_dir(), **admin, names.of(Topic::kImageRequests),
                          *partitions, log);
  if (!blobs) return Failure(blobs.error());
  auto producer =
      kafka::make_producer(cluster, {.delivery_timeout = settings.produce_timeout}, log);
  if (!producer) return Failure(producer.error());

  auto lag_reader =
      kafka::make_partition_reader(cluster, {.queue_bytes = kafka::kLagReaderBytes}, log);
  if (!lag_reader) return Failure(lag_reader.error());

  const auto view = make_view(settings, log);
  Service service(settings.service(*partitions),
                  {**blobs, **admin, **lag_reader, **producer, *view, names, log});
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
