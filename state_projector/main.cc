// Composition root of the projector: settings, adapters, and which command to run.
#include <fmt/format.h>

#include <iostream>
#include <set>

#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "kafka/lag_watcher.h"
#include "platform/common_settings.h"
#include "platform/fs_blob_store.h"
#include "platform/http/admin_routes.h"
#include "platform/loopback.h"
#include "platform/metrics.h"
#include "platform/stop_signal.h"
#include "state_projector/admin.h"
#include "state_projector/admin_client.h"
#include "state_projector/commands.h"
#include "state_projector/projector.h"
#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/rocks/rocks_store.h"
#include "state_projector/verify.h"
#include "state_projector/view_endpoint.h"

namespace thumb {
namespace {

struct Command {
  CommonSettings common;
  bool as_json = false;
  bool force_rebuild = false;
  bool with_digests = false;
  bool by_partition = false;
  std::string view_host = "127.0.0.1";              // THUMB_VIEW_HOST
  std::int64_t view_port = 0;                       // THUMB_VIEW_PORT: 0 = none
  bool allow_public = false;                        // THUMB_ALLOW_PUBLIC
  std::int64_t rebuild_memory_bytes = 536'870'912;  // THUMB_REBUILD_MEMORY_BYTES
  bool from_checkpoint = false;
  std::chrono::milliseconds checkpoint_interval = CheckpointOptions().interval;
  std::int64_t checkpoint_keep = 3;
  std::string name = "run";

  [[nodiscard]] CheckpointOptions checkpoints() const {
    return {checkpoint_interval, static_cast<std::size_t>(checkpoint_keep)};
  }
  [[nodiscard]] std::size_t rebuild_memory() const {
    return static_cast<std::size_t>(rebuild_memory_bytes);
  }
  [[nodiscard]] bool restores() const { return name == "restore" || from_checkpoint; }
  [[nodiscard]] kafka::ClusterConfig cluster() const {
    return kafka::cluster_config(common, "thumbstream-state-projector");
  }
};

void declare_commands(CLI::App& app, Command& command) {
  app.require_subcommand(0, 1);
  const auto add = [&](const std::string& name, const std::string& help) {
    return app.add_subcommand(name, help)->callback([&command, name] { command.name = name; });
  };
  add("run", "Keep the view folded up to the end of the log (the default)");
  add("dump", "Print every row as a JSON object per line, by id");
  add("status", "Print positions, counters and unreadable records")
      ->add_flag("--json", command.as_json, "As one JSON object");
  add("digest", "Print the positions and the SHA-256 of the view, by partition and in all")
      ->add_flag("--json", command.as_json, "As one JSON object");
  auto* views = add("views", "List the views: serving, building, previous");
  views->add_flag("--json", command.as_json, "As one JSON object");
  views->add_flag("--digest", command.with_digests, "With their digests: reads all rows");
  add("verify",
      "Fold the log up to the view's positions and compare; exit 1 and the rows that differ");
  auto* rebuild = add("rebuild",
                      "Have the running projector build a new view beside the serving one and swap "
                      "it in; with none running, do it here, up to the same positions");
  rebuild->add_flag("--from-checkpoint", command.from_checkpoint,
                    "Begin with the newest good checkpoint instead of the first offset");
  rebuild->add_flag("--partitions", command.by_partition,
                    "Show what each partition lacks, and how long it takes");
  rebuild->add_flag("--force", command.force_rebuild,
                    "With no projector running: swap it in even if its digest is another");
  add("checkpoint", "Copy the serving view to the blob store, for new instances to begin with");
  add("restore", "The same as rebuild --from-checkpoint");
  add("rollback", "Serve from the previous view again, caught up first if a projector runs");
  add("discard", "Remove the previous view, and one that was half built");
}

void declare(Settings& settings, Command& command) {
  command.common.declare(settings);
  settings.text("--view-host", command.view_host, "Address to answer for the view on");
  settings.integer(
      "--view-port", command.view_port, 0, 65'535,
      "Port to answer for the view on, for ingest elsewhere (THUMB_VIEW_URL); 0: none");
  settings.flag("--allow-public", command.allow_public,
                "Answer on an address that others can reach, though whoever can reads everything");
  settings.check([&command]() -> std::optional<std::string> {
    if (command.allow_public || is_loopback(command.view_host)) return std::nullopt;
    return fmt::format(
        "--view-host (THUMB_VIEW_HOST): '{}' can be reached from other machines, and anyone there "
        "could read every image's record; if that is meant, set --allow-public "
        "(THUMB_ALLOW_PUBLIC)",
        command.view_host);
  });
  settings.duration_ms("--checkpoint-interval-ms", command.checkpoint_interval,
                       std::chrono::milliseconds(0), std::chrono::hours(24 * 366),
                       "How often the view is copied to the blob store; 0: only on demand");
  settings.integer("--checkpoint-keep", command.checkpoint_keep, 1, 1'000,
                   "Checkpoints that are kept; older ones are removed");
  settings.integer("--rebuild-memory-bytes", command.rebuild_memory_bytes, 1'048'576,
                   1'099'511'627'776,
                   "Memory for sorting the log while a view is built at once; past it, files below "
                   "the view's folder take the rest");
  declare_commands(settings.app(), command);
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

// None if the port is 0.
Result<std::unique_ptr<ViewEndpoint>> serve_view(const Command& command, Log& log,
                                                 Metrics& metrics) {
  if (command.view_port == 0) return nullptr;
  http::ServerOptions options;
  options.host = command.view_host;
  options.port = static_cast<std::uint16_t>(command.view_port);
  return ViewEndpoint::start(options, command.common.view_dir(), log, metrics);
}

Result<void> run_projector(const Command& command, StopSignal& stop, Log& log) {
  const TopicNames names(command.common.topic_prefix);
  const ViewFolder folder(command.common.view_dir());
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  auto admin = kafka::make_admin(command.cluster(), log);
  if (!admin) return Failure(std::move(admin.error()));
  // A start is over when every partition's end is known.
  const kafka::ReaderOptions quick_ends{.fetch_wait = std::chrono::milliseconds(25)};
  auto reader = kafka::make_partition_reader(command.cluster(), quick_ends, log);
  if (!reader) return Failure(std::move(reader.error()));
  // A store of checkpoints may be made with the first view. Later, one that is not there is on a
  // disk that is not mounted, and one in its place would make originals seem to be gone.
  std::error_code unreadable;
  const bool begun = std::filesystem::exists(folder.pointer(), unreadable);
  const auto blobs = begun ? FsBlobStore::open_existing(command.common.blob_dir())
                           : FsBlobStore::open_root(command.common.blob_dir());
  if (!blobs) return Failure(blobs.error());
  CheckpointStore checkpoints(**blobs, **blobs, log);
  Metrics metrics;
  ProjectorOptions options;
  options.view_dir = command.common.view_dir();
  options.checkpoints = command.checkpoints();
  options.at_once.bulk.memory_bytes = command.rebuild_memory();
  auto lag_reader =
      kafka::make_partition_reader(command.cluster(), {.queue_bytes = kafka::kLagReaderBytes}, log);
  if (!lag_reader) return Failure(lag_reader.error());
  const auto open_reader = [&] { return kafka::make_partition_reader(command.cluster(), {}, log); };
  Projector projector(options, {names, **admin, **reader, **lag_reader, open_reader,
                                RocksStore::open, checkpoints, log, metrics});
  ProjectorAdmin projector_admin(folder, openers(), projector);
  http::Router router;
  projector_admin.add_routes(router);
  http::add_admin_routes(router, metrics, [&projector] { return projector.ready(); });
  const auto server = http::serve_admin(command.common.admin_port, router, log, metrics);
  if (!server) return Failure(server.error());
  const auto endpoint = serve_view(command, log, metrics);
  if (!endpoint) return Failure(endpoint.error());
  log.info("projector started", {{"view_dir", options.view_dir.string()}});
  auto ended = projector.run(stop.token());
  if (*server != nullptr) (*server)->stop(std::chrono::milliseconds(500));
  log.info("projector stopped");
  return ended;
}

// Whether a projector works on the views, by its lock.
Result<bool> projector_runs(const Command& command) {
  const auto lock = ViewFolder(command.common.view_dir()).lock();
  if (lock) return false;
  if (lock.error().code != "view-in-use") return Failure(lock.error());
  if (command.common.admin_port > 0) return true;
  return fail(ErrorKind::kConflict, "view-in-use",
              "a projector is working on the view; name its --admin-port (THUMB_ADMIN_PORT), or "
              "stop it first");
}

Result<void> ask_running(const Command& command, const StopSignal& stop) {
  // A checkpoint is answered when it is stored.
  const auto ask = ask_over_http(command.common.admin_port, std::chrono::minutes(10));
  if (command.name == "discard" || command.name == "checkpoint") {
    return ask(FetchMethod::kPost, "/admin/" + command.name).map([](const std::string&) {});
  }
  const std::string task = command.name == "rollback" ? "rollback"
                           : command.restores()       ? "restore"
                                                      : "rebuild";
  return ask_for_build(ask, task, {.by_partition = command.by_partition}, stop.token(), std::cout);
}

// The commands that read the log.
Result<void> run_replay(const Command& command, const StopSignal& stop, Log& log) {
  const TopicNames names(command.common.topic_prefix);
  const ViewFolder folder(command.common.view_dir());
  auto admin = kafka::make_admin(command.cluster(), log);
  if (!admin) return Failure(std::move(admin.error()));
  const LogSource source{
      .admin = **admin,
      .open_reader = [&] { return kafka::make_partition_reader(command.cluster(), {}, log); },
      .names = names,
      .bulk = {.memory_bytes = command.rebuild_memory()}};
  if (command.name == "rebuild") {
    return rebuild(folder, openers(), source, command.force_rebuild, stop.token(), std::cout);
  }
  const auto view = open_serving_view(folder, openers());
  if (!view) return Failure(view.error());
  return verify(**view, folder, openers(), source, stop.token(), std::cout);
}

// With no projector running.
Result<void> write_checkpoint(const Command& command, Log& log) {
  const ViewFolder folder(command.common.view_dir());
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  const auto blobs = FsBlobStore::open_root(command.common.blob_dir());
  if (!blobs) return Failure(blobs.error());
  CheckpointStore checkpoints(**blobs, **blobs, log);
  return checkpoint_serving_view(checkpoints, folder, RocksStore::open, command.checkpoints(), log);
}

// With no projector running: the next one goes on with what is restored.
Result<void> restore(const Command& command, const StopSignal& stop, Log& log) {
  const TopicNames names(command.common.topic_prefix);
  const ViewFolder folder(command.common.view_dir());
  const auto lock = folder.lock();
  if (!lock) return Failure(lock.error());
  const auto blobs = FsBlobStore::open_root(command.common.blob_dir());
  if (!blobs) return Failure(blobs.error());
  const auto admin = kafka::make_admin(command.cluster(), log);
  if (!admin) return Failure(admin.error());
  const auto cluster = ask_cluster(**admin, names, std::chrono::seconds(5));
  if (!cluster) return Failure(cluster.error());
  CheckpointStore checkpoints(**blobs, **blobs, log);
  const auto restored = restore_as_next(
      checkpoints, folder, RocksStore::open, *cluster, [](const Positions&) {}, log, stop.token());
  if (!restored) return Failure(restored.error());
  if (!*restored) return fail(ErrorKind::kNotFound, "no-checkpoint", "there is no good checkpoint");
  std::cout << "view " << (*restored)->id
            << " restored; the projector catches it up when it starts\n";
  return {};
}

// The commands that change which view serves: by the running projector, or here.
Result<void> run_change(const Command& command, const StopSignal& stop, Log& log) {
  const auto running = projector_runs(command);
  if (!running) return Failure(running.error());
  if (*running) return ask_running(command, stop);
  const ViewFolder folder(command.common.view_dir());
  if (command.name == "rollback") return roll_back(folder, openers(), std::cout);
  if (command.name == "discard") return discard(folder);
  if (command.name == "checkpoint") return write_checkpoint(command, log);
  if (command.restores()) return restore(command, stop, log);
  return run_replay(command, stop, log);
}

// The commands that read views alone.
Result<void> run_query(const Command& command) {
  const ViewFolder folder(command.common.view_dir());
  if (command.name == "views") {
    return views(folder, openers(), command.with_digests, command.as_json, std::cout);
  }
  const auto view = open_serving_view(folder, openers());
  if (!view) return Failure(view.error());
  if (command.name == "dump") return dump(**view, std::cout);
  if (command.name == "status") return status(**view, command.as_json, std::cout);
  return digest(**view, command.as_json, std::cout);
}

Result<void> run_command(const Command& command) {
  static const std::set<std::string_view> kQueries{"dump", "status", "digest", "views"};
  if (kQueries.contains(command.name)) return run_query(command);
  StopSignal stop;
  Log log("state_projector", command.common.level());
  if (command.name == "run") return run_projector(command, stop, log);
  if (command.name == "verify") return run_replay(command, stop, log);
  return run_change(command, stop, log);
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
