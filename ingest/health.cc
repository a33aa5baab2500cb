// The checks are named "component:measurement", as the health-check draft has it.
#include "ingest/health.h"

#include "ingest/json_writer.h"

namespace thumb::ingest {

namespace {

constexpr auto kNever = std::chrono::steady_clock::time_point::min();

std::string_view word(bool pass) { return pass ? "pass" : "fail"; }

void write_check(JsonWriter& json, std::string_view name, std::string_view type, bool pass) {
  json.key(name)
      .begin_array()
      .begin_object()
      .field("componentType", type)
      .field("status", word(pass))
      .end_object()
      .end_array();
}

}  // namespace

Health::Health(std::function<Result<void>()> ask_log, ViewReader& view,
               const HealthOptions& options)
    : ask_log_(std::move(ask_log)),
      view_(view),
      options_(options),
      heard_(kNever),
      thread_([this](const std::stop_token& stop) { ask_loop(stop); }) {}

Health::~Health() = default;

void Health::ask_loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (ask_log_()) heard_.store(std::chrono::steady_clock::now());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, options_.interval, [] { return false; });
  }
}

bool Health::log_heard() const {
  const auto heard = heard_.load();
  return heard != kNever && std::chrono::steady_clock::now() - heard <= options_.log_silence;
}

http::Response Health::readiness() {
  // Any position will do: an unreadable view fails on each.
  const bool view_ready = view_.position(Topic::kImageRequests, 0).has_value();
  const bool log_ready = log_heard();
  const bool ready = view_ready && log_ready;
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("status", word(ready)).field("version", THUMB_VERSION).key("checks");
  json.begin_object();
  write_check(json, "view:readable", "datastore", view_ready);
  write_check(json, "kafka:reachable", "system", log_ready);
  json.end_object().end_object();
  http::Response response;
  response.status = ready ? 200 : 503;
  response.set("Content-Type", "application/health+json").set("Cache-Control", "no-store");
  if (!ready) response.set("Retry-After", "2");
  response.body = std::move(body);
  return response;
}

}  // namespace thumb::ingest
