#include "state_projector/admin_client.h"

#include <fmt/format.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

namespace thumb {
namespace {

using Json = nlohmann::json;

Failure not_understood() {
  return fail(ErrorKind::kInternal, "answer-not-understood",
              "the projector's answer is not understood");
}

Result<Json> parse(const std::string& text) {
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return not_understood();
  return json;
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

// Before the first record there may be no view yet.
void show(const Json& build, bool by_partition, std::ostream& out) {
  const auto id = text_of(build, "view_id");
  if (id.empty() && text_of(build, "state") == "failed") return;
  const auto left = number_of(build, "offsets_left");
  const bool all_read = text_of(build, "state") == "building" && !id.empty() && left == 0;
  out << fmt::format("{} {}: {:.0f} records folded, {:.0f} records/s, {:.0f} offsets left",
                     text_of(build, "state"), id.empty() ? "a view" : "view " + id,
                     number_of(build, "records"), number_of(build, "records_per_second"), left);
  if (all_read) {
    out << ", being written";
  } else if (build.contains("seconds_left")) {
    out << fmt::format(", about {:.0f} s", number_of(build, "seconds_left"));
  }
  out << std::endl;  // a line at each look, seen at once
  if (!by_partition || !build.contains("partitions")) return;
  for (const auto& partition : build["partitions"]) {
    const auto position = number_of(partition, "position");
    const auto target = number_of(partition, "target");
    if (position >= target) continue;
    out << fmt::format("  {}/{:.0f} {:.0f}/{:.0f}", text_of(partition, "topic"),
                       number_of(partition, "partition"), position, target);
    if (partition.contains("seconds_left")) {
      out << fmt::format(", about {:.0f} s", number_of(partition, "seconds_left"));
    }
    out << '\n';
  }
}

std::string path_of(const std::string& task) {
  if (task == "rollback") return "/admin/rollback";
  return task == "restore" ? "/admin/rebuild?from=checkpoint" : "/admin/rebuild";
}

Result<Json> progress_of(const AskProjector& ask) {
  const auto answer = ask(FetchMethod::kGet, "/admin/rebuild");
  if (!answer) return Failure(answer.error());
  return parse(*answer);
}

// A build that was asked for already is as good as one's own; that of another task is not: whoever
// wants to go back must not take the end of a rebuild for it.
Result<void> begin_or_join(const AskProjector& ask, const std::string& task, std::ostream& out) {
  const auto begun = ask(FetchMethod::kPost, path_of(task));
  if (begun) return {};
  if (begun.error().code != "build-in-progress") return Failure(begun.error());
  const auto build = progress_of(ask);
  if (!build) return Failure(build.error());
  if (text_of(*build, "task") != task) return Failure(begun.error());
  out << "a build is under way already\n";
  return {};
}

// True if a stop came first.
bool pause(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace

AskProjector ask_over_http(std::int64_t admin_port, std::chrono::milliseconds timeout) {
  return [admin_port, timeout, fetcher = std::make_shared<HttpFetcher>(1)](
             FetchMethod method, const std::string& path) -> Result<std::string> {
    auto answer = fetcher->fetch_and_wait(fmt::format("http://127.0.0.1:{}{}", admin_port, path),
                                          timeout, method);
    if (!answer) return Failure(std::move(answer.error()));
    if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    const auto problem = parse(answer->body);
    if (!problem || text_of(*problem, "code").empty()) return not_understood();
    return fail(answer->status == 409 ? ErrorKind::kConflict : ErrorKind::kUnavailable,
                text_of(*problem, "code"), text_of(*problem, "detail"));
  };
}

Result<void> ask_for_build(const AskProjector& ask, const std::string& task,
                           const WatchOptions& options, const std::stop_token& stop,
                           std::ostream& out) {
  if (auto begun = begin_or_join(ask, task, out); !begun) return begun;
  while (true) {
    const auto build = progress_of(ask);
    if (!build) return Failure(build.error());
    show(*build, options.by_partition, out);
    if (text_of(*build, "state") == "serving") return {};
    if (text_of(*build, "state") != "building") {
      return fail(ErrorKind::kInternal, "build-failed", "the build has failed",
                  text_of(*build, "problem"));
    }
    if (pause(options.interval, stop)) {
      return fail_transient(ErrorKind::kUnavailable, "stopped",
                            "no longer watched; the build goes on in the projector");
    }
  }
}

}  // namespace thumb
