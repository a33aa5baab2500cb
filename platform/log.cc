// One JSON object a line through spdlog: time, level, service, message, then the fields.
#include "platform/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "platform/clock.h"

namespace thumb {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

}  // namespace

struct Log::Impl {
  std::string service;
  spdlog::logger logger;
};

Log::Log(std::string service, LogLevel level)
    : impl_(new Impl{std::move(service),
                     spdlog::logger("", std::make_shared<spdlog::sinks::stderr_sink_mt>())}) {
  impl_->logger.set_pattern("%v");  // the line is made here, whole
  impl_->logger.set_level(spdlog_level(level));
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, LogFields fields) {
  if (!impl_->logger.should_log(spdlog_level(level))) return;
  nlohmann::ordered_json line;
  line["time"] = to_rfc3339(SystemClock().now());
  line["level"] = level_name(level);
  line["service"] = impl_->service;
  line["message"] = message;
  for (const auto& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  }
  // Third-party texts may not be UTF-8: replaced, since a log line must never throw.
  impl_->logger.log(spdlog_level(level),
                    line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<LogLevel> parse_log_level(std::string_view text) {
  for (const auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (text == level_name(level)) return level;
  }
  return fail(ErrorKind::kInvalid, "bad-log-level", "log level must be debug, info, warn or error");
}

}  // namespace thumb
