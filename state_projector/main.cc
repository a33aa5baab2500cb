// Composition root of the projector: settings, adapters, and which command to run.
#include <fmt/format.h>

#include <iostream>

#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "platform/common_settings.h"
#include "platform/http/admin_routes.h"
#include "platform/metrics.h"
#include "platform/stop_signal.h"
#include "state_projector/commands.h"
#include "state_projector/projector.h"
#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/rocks/rocks_store.h"

namespace thumb {
namespace {

struct Command {
  CommonSettings common;
  bool status_as_json = false;
  bool force_rebuild = false;
  std::string name = "run";

  [[nodiscard]] kafka::ClusterConfig cluster() const {
    return kafka::cluster_config(common, "thumbstream-state-projector");
  }
};

void declare(Settings& settings, Command& command) {
  command.common.declare(settings);
  auto& app = settings.app();
  app.require_subcommand(0, 1);
  const auto add = [&](const std::string& name, const std::string& help) {
    return app.add_subcommand(name, help)->callback([&command, name] { command.name = name; });
  };
  add("run", "Keep the view folded up to the end of the log (the default)");
  add("dump", "Print every row as a JSON object per line, by id");
  add("status", "Print positions, counters and unreadable records")
      ->add_flag("--json", command.status_as_json, "As one JSON object");
  add("digest", "Print the positions and the SHA-256 of the view");
  add("verify",
      "Fold the log up to the view's positions and compare digests; exit 1 if they differ");
  add("rebuild",
      "With the projector stopped: fold a new view up to the same positions and swap it in")
      ->add_flag("--force", command.force_rebuild, "Swap it in even if its digest is another");
}

ViewOpeners openers() {
  return {
      [](const std::filesystem::path& folder) {
        return RocksFollower::open(folder).map([](const std::shared_ptr<RocksFollower>& follower) {
          return std::shared_ptr<const KeyValueReader>(follower);
        });
      },
      RocksStore::open};
}

Result<void> run_projector(const Command& command, StopSignal& stop, Log& log) {
  const TopicNames names(command.common.topic_prefix);
  const ViewFolder folder(command.common.view_dir());
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  auto admin = kafka::make_admin(command.cluster(), log);
  if (!admin) return Failure(std::move(admin.error()));
  auto reader = kafka::make_partition_reader(command.cluster(), {}, log);
  if (!reader) return Failure(std::move(reader.error()));
  Metrics metrics;
  ProjectorOptions options;
  options.view_dir = command.common.view_dir();
  Projector projector(options, names, **admin, **reader, RocksStore::open, log, metrics);
  http::Router router;
  http::add_admin_routes(router, metrics, [&projector] { return projector.ready(); });
  const auto server = http::serve_admin(command.common.admin_port, router, log, metrics);
  if (!server) return Failure(server.error());
  log.info("projector started", {{"view_dir", options.view_dir.string()}});
  auto ended = projector.run(stop.token());
  if (*server != nullptr) (*server)->stop(std::chrono::milliseconds(500));
  log.info("projector stopped");
  return ended;
}

// The commands that read the log.
Result<void> run_replay(const Command& command, StopSignal& stop, Log& log) {
  const TopicNames names(command.common.topic_prefix);
  const ViewFolder folder(command.common.view_dir());
  auto admin = kafka::make_admin(command.cluster(), log);
  if (!admin) return Failure(std::move(admin.error()));
  auto reader = kafka::make_partition_reader(command.cluster(), {}, log);
  if (!reader) return Failure(std::move(reader.error()));
  const LogSource source{.admin = **admin, .reader = **reader, .names = names, .replay = {}};
  if (command.name == "rebuild") {
    return rebuild(folder, openers(), source, command.force_rebuild, stop.token(), std::cout);
  }
  const auto view = open_serving_view(folder, openers());
  if (!view) return Failure(view.error());
  return verify(**view, folder, openers(), source, stop.token(), std::cout);
}

// The commands that read the view alone.
Result<void> run_query(const Command& command) {
  const auto view = open_serving_view(ViewFolder(command.common.view_dir()), openers());
  if (!view) return Failure(view.error());
  if (command.name == "dump") return dump(**view, std::cout);
  if (command.name == "status") return status(**view, command.status_as_json, std::cout);
  return digest(**view, std::cout);
}

Result<void> run_command(const Command& command) {
  if (command.name == "dump" || command.name == "status" || command.name == "digest") {
    return run_query(command);
  }
  StopSignal stop;
  Log log("state_projector", command.common.level());
  if (command.name == "run") return run_projector(command, stop, log);
  return run_replay(command, stop, log);
}

int main_with(int argc, const char* const* argv) {
  Settings settings("state_projector",
                    "Folds the event log into the view that ingest answers from");
  Command command;
  declare(settings, command);
  if (const auto exit = settings.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  std::ios::sync_with_stdio(false);
  const auto done = run_command(command);
  std::cout.flush();
  if (done) return kExitClean;
  std::cerr << fmt::format("state_projector: {}: {}{}{}\n", done.error().code, done.error().message,
                           done.error().detail.empty() ? "" : ": ", done.error().detail);
  return kExitRuntime;
}

}  // namespace
}  // namespace thumb

int main(int argc, char** argv) { return thumb::main_with(argc, argv); }
