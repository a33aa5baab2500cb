// Structured logs: one JSON object a line on stderr, so that every event can be followed by
// image_id and trace_id through all services. Built on spdlog.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "platform/result.h"

namespace thumb {

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral I>
  LogField(std::string_view n, I v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

using LogFields = std::initializer_list<LogField>;

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Thread-safe. Never log file names, bodies, headers or settings whose name says they are secret.
class Log {
 public:
  // `service` stands in every line; lines below `level` are dropped.
  Log(std::string service, LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(std::string_view message, LogFields fields = {}) {
    write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void warn(std::string_view message, LogFields fields = {}) {
    write(LogLevel::kWarn, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) {
    write(LogLevel::kError, message, fields);
  }
  // The usual way to log a failed Result: code, message and detail as fields.
  void error(std::string_view message, const Error& error) {
    write(LogLevel::kError, message,
          {{"code", error.code}, {"error", error.message}, {"detail", error.detail}});
  }

 private:
  void write(LogLevel level, std::string_view message, LogFields fields);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);  // debug|info|warn|error

}  // namespace thumb
