// The client of make bench: runs one workload against a port and prints a JSON report.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/load/workloads.h"
#include "platform/file_io.h"
#include "platform/settings.h"
#include "platform/stop_signal.h"

namespace thumb::bench {
namespace {

using Workload = Result<Report> (*)(const Plan&);
const std::map<std::string, Workload> kWorkloads = {{"accepted", accepted},
                                                    {"completed", completed},
                                                    {"latency", latency},
                                                    {"status-reads", status_reads}};
constexpr const char* kSteadyReads = "steady-reads";

struct LoadSettings {
  std::string workload;
  std::string images;
  std::string ids;
  std::int64_t rate = 2'000;
  std::int64_t port = 0;
  std::int64_t connections = 1;
  std::int64_t window = 64;
  std::int64_t count = 64;
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds measured{1'000};
};

void declare(Settings& settings, LoadSettings& load) {
  settings.text("--workload", load.workload,
                "accepted, completed, latency, status-reads or steady-reads");
  settings.text("--images", load.images, "Folder of the JPEG files to send");
  settings.text("--ids", load.ids, "File of the images' ids, one a line (steady-reads)");
  settings.integer("--rate", load.rate, 1, 1'000'000, "Questions a second (steady-reads)");
  settings.integer("--port", load.port, 1, 65'535, "Port of the service, on 127.0.0.1");
  settings.integer("--connections", load.connections, 1, 1'000, "Clients at once");
  settings.integer("--window", load.window, 1, 100'000,
                   "Images between POST and completion at once (completed)");
  settings.integer("--count", load.count, 1, 1'000'000, "Images in all (latency, status-reads)");
  settings.duration_ms("--warm-up-ms", load.warm_up, std::chrono::milliseconds(0),
                       std::chrono::hours(1), "Load before the measured time");
  settings.duration_ms("--measured-ms", load.measured, std::chrono::milliseconds(1),
                       std::chrono::hours(1), "The measured time");
  settings.check([&load]() -> std::optional<std::string> {
    if (kWorkloads.contains(load.workload) || load.workload == kSteadyReads) return std::nullopt;
    return fmt::format("--workload: there is no \"{}\"", load.workload);
  });
}

Result<std::vector<std::string>> read_images(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);  // the same order for each run
  std::vector<std::string> images;
  for (const auto& path : paths) {
    auto bytes = read_file(path);
    if (!bytes) return Failure(bytes.error());
    images.push_back(std::move(*bytes));
  }
  if (!images.empty()) return images;
  return fail(ErrorKind::kNotFound, "no-images", "there are no JPEG files", folder.string());
}

Result<std::vector<std::string>> read_ids(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return Failure(text.error());
  std::vector<std::string> ids;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) ids.push_back(std::move(line));
  return ids;
}

// Until SIGTERM, if that comes before the end.
Result<Report> run_steady_reads(const LoadSettings& load, Plan plan) {
  const StopSignal stop;
  plan.stop = stop.token();
  auto ids = read_ids(load.ids);
  if (!ids) return Failure(ids.error());
  plan.ids = std::move(*ids);
  plan.rate = static_cast<std::size_t>(load.rate);
  return steady_reads(plan, [] { std::cout << "measuring" << std::endl; });
}

Result<Report> run(const LoadSettings& load) {
  Plan plan;
  plan.port = static_cast<std::uint16_t>(load.port);
  plan.connections = static_cast<std::size_t>(load.connections);
  plan.window = static_cast<std::size_t>(load.window);
  plan.count = static_cast<std::size_t>(load.count);
  plan.warm_up = load.warm_up;
  plan.measured = load.measured;
  if (load.workload == kSteadyReads) return run_steady_reads(load, std::move(plan));
  auto images = read_images(load.images);
  if (!images) return Failure(images.error());
  plan.images = std::move(*images);
  return kWorkloads.at(load.workload)(plan);
}

int main_with(int argc, const char* const* argv) {
  Settings declared("bench_load", "The client of make bench");
  LoadSettings load;
  declare(declared, load);
  if (const auto exit = declared.parse(argc, argv)) {
    (exit->exit_code == kExitClean ? std::cout : std::cerr) << exit->text;
    return exit->exit_code;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a side that hangs up is an error, not our end
  const auto report = run(load);
  if (!report) {
    std::cerr << fmt::format("bench_load: {}: {}: {}\n", report.error().code,
                             report.error().message, report.error().detail);
    return kExitRuntime;
  }
  std::cout << nlohmann::json{{"count", report->count},   {"seconds", report->seconds},
                              {"ms", report->ms},         {"accepted_ms", report->accepted_ms},
                              {"failed", report->failed}, {"first_failure", report->first_failure}}
            << '\n';
  return kExitClean;
}

}  // namespace
}  // namespace thumb::bench

int main(int argc, char** argv) { return thumb::bench::main_with(argc, argv); }
