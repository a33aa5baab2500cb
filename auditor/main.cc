// Composition root of the auditor: settings, adapters, one audit, its report.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "auditor/audit.h"
#include "auditor/report.h"
#include "auditor/settings.h"
#include "kafka/clients.h"
#include "kafka/cluster_config.h"
#include "platform/fs_blob_store.h"
#include "platform/stop_signal.h"

namespace thumb::auditor {
namespace {

constexpr int kExitFound = 3;

// Null if blobs are not asked for.
Result<std::unique_ptr<BlobStore>> open_blobs(const AuditorSettings& settings) {
  if (settings.blob_mode() == BlobMode::kNone) return nullptr;
  const auto folder = settings.common.blob_dir();
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return fail(ErrorKind::kNotFound, "no-blobs",
                folder.string() + " is no folder; name the data folder, or use --blobs=none");
  }
  return FsBlobStore::open_existing(folder).map([](std::unique_ptr<FsBlobStore> store) {
    return std::unique_ptr<BlobStore>(std::move(store));
  });
}

Result<AuditResult> run(const AuditorSettings& settings, const std::stop_token& stop, Log& log) {
  const auto cluster = kafka::cluster_config(settings.common, "thumbstream-auditor");
  auto blobs = open_blobs(settings);
  if (!blobs) return Failure(blobs.error());
  auto admin = kafka::make_admin(cluster, log);
  if (!admin) return Failure(admin.error());
  auto reader = kafka::make_partition_reader(cluster, {}, log);
  if (!reader) return Failure(reader.error());
  const SystemClock clock;
  AuditOptions options;
  options.blobs = settings.blob_mode();
  options.grace = settings.grace;
  options.wait = settings.wait;
  return audit({**admin, **reader, blobs->get(), clock}, TopicNames(settings.common.topic_prefix),
               options, stop);
}

int main_with(int argc, const char* const* argv) {
  Settings declared("auditor",
                    "Reads the whole log and checks that every promise of the pipeline holds; exit "
                    "0: it does, 3: it does not, 1: could not find out");
  AuditorSettings settings;
  settings.declare(declared);
  if (const auto exit = declared.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  StopSignal stop;
  Log log("auditor", settings.common.level());
  const auto result = run(settings, stop.token(), log);
  if (!result) {
    const Error& error = result.error();
    std::cerr << fmt::format("auditor: {}: {}{}{}\n", error.code, error.message,
                             error.detail.empty() ? "" : ": ", error.detail);
    return kExitRuntime;
  }
  std::cout << (settings.as_json ? report_json(*result) + "\n" : report_text(*result));
  std::cout.flush();
  return is_ok(*result) ? kExitClean : kExitFound;
}

}  // namespace
}  // namespace thumb::auditor

int main(int argc, char** argv) { return thumb::auditor::main_with(argc, argv); }
