#include "processor/dlq_main.h"

#include <fmt/format.h>

#include <iostream>

#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "platform/stop_signal.h"

namespace thumb {
namespace {

using Verb = dlq::CommandLine::Verb;

// Null in a dry run: what isn't there can't write.
Result<std::unique_ptr<kafka::Producer>> make_producer(const dlq::CommandLine& command,
                                                       const kafka::ClusterConfig& cluster,
                                                       Log& log) {
  if (command.verb != Verb::kRedrive || command.dry_run) return nullptr;
  return kafka::make_producer(cluster, {}, log);
}

Result<void> run_command(const dlq::CommandLine& command, const CommonSettings& common,
                         const std::stop_token& stop, Log& log) {
  const auto cluster = kafka::cluster_config(common, "thumbstream-dlq");
  const TopicNames names(common.topic_prefix);
  auto admin = kafka::make_admin(cluster, log);
  if (!admin) return Failure(admin.error());
  auto letters = kafka::make_partition_reader(cluster, {}, log);
  if (!letters) return Failure(letters.error());
  auto requests = kafka::make_partition_reader(cluster, {}, log);
  if (!requests) return Failure(requests.error());
  auto producer = make_producer(command, cluster, log);
  if (!producer) return Failure(producer.error());

  dlq::DeadLetterLog dead_letters({**admin, **letters, **requests}, names, {}, stop);
  switch (command.verb) {
    case Verb::kNone:
      return {};
    case Verb::kList:
      return dlq::list(dead_letters, command.list, std::cout);
    case Verb::kShow:
      return dlq::show(dead_letters, command.shown, command.show_as, std::cout);
    case Verb::kRedrive:
      return dlq::redrive(dead_letters, command.redriven, names, producer->get(), std::cout);
  }
  return {};
}

}  // namespace

int run_dlq(const dlq::CommandLine& command, const CommonSettings& common) {
  StopSignal stop;
  Log log("processor", common.level());
  const auto done = run_command(command, common, stop.token(), log);
  std::cout.flush();
  if (done) return kExitClean;
  const Error& error = done.error();
  std::cerr << fmt::format("processor dlq: {}: {}{}{}\n", error.code, error.message,
                           error.detail.empty() ? "" : ": ", error.detail);
  return kExitRuntime;
}

}  // namespace thumb
