// Declares the shared settings and derives paths and addresses from them.
#include "platform/common_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace thumb {
namespace {

// Calls `each` for the entries of "a=b;c=d", empty ones left out; stops at the first false.
template <typename Each>
void for_each_option(std::string_view options, const Each& each) {
  while (!options.empty()) {
    const auto entry = options.substr(0, options.find(';'));
    if (!entry.empty() && !each(entry)) return;
    options.remove_prefix(std::min(options.size(), entry.size() + 1));
  }
}

// The number, from 1, of the first entry that lacks its '='.
std::optional<int> first_without_equals(std::string_view options) {
  int number = 0;
  bool found = false;
  for_each_option(options, [&](std::string_view entry) {
    ++number;
    found = entry.find('=') == std::string_view::npos;
    return !found;
  });
  return found ? std::optional(number) : std::nullopt;
}

}  // namespace

void CommonSettings::declare(Settings& settings) {
  settings.text("--data-dir", data_dir, "Folder of blobs, view, logs and pid files");
  settings.text("--kafka-bootstrap", kafka_bootstrap,
                "host:port[,host:port] of an existing cluster; empty: 127.0.0.1:<kafka-port>");
  settings.integer("--kafka-port", kafka_port, 1, 65535, "Port of the broker on this machine");
  settings.text("--kafka-options", kafka_options,
                "More librdkafka settings, key=value;key=value (security.protocol, sasl.*, ...)");
  settings.text("--topic-prefix", topic_prefix,
                "Put before every topic and group name, to share a cluster");
  settings.text("--log-level", log_level, "debug, info, warn or error");
  settings.integer("--admin-port", admin_port, 0, 65535,
                   "Port on 127.0.0.1 for /metrics, /livez and /readyz; 0: none");
  settings.check([this]() -> std::optional<std::string> {
    if (auto level = parse_log_level(log_level); !level) {
      return "--log-level (THUMB_LOG_LEVEL): " + level.error().message;
    }
    if (auto pair = first_without_equals(kafka_options)) {
      // By number: its text may be a password.
      return fmt::format("--kafka-options (THUMB_KAFKA_OPTIONS): entry {} is not key=value", *pair);
    }
    if (data_dir.empty()) return "--data-dir (THUMB_DATA_DIR) is empty";
    if (topic_prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-_") != std::string::npos ||
        topic_prefix.size() > 100) {
      return "--topic-prefix (THUMB_TOPIC_PREFIX) takes at most 100 of A-Z a-z 0-9 - _";
    }
    return std::nullopt;
  });
}

std::string CommonSettings::bootstrap() const {
  return kafka_bootstrap.empty() ? fmt::format("127.0.0.1:{}", kafka_port) : kafka_bootstrap;
}

std::map<std::string, std::string> CommonSettings::kafka_overrides() const {
  std::map<std::string, std::string> overrides;
  for_each_option(kafka_options, [&](std::string_view entry) {
    const auto equals = entry.find('=');
    overrides.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    return true;
  });
  return overrides;
}

std::filesystem::path CommonSettings::blob_dir() const {
  return std::filesystem::path(data_dir) / "blobs";
}

std::filesystem::path CommonSettings::view_dir() const {
  return std::filesystem::path(data_dir) / "view";
}

LogLevel CommonSettings::level() const { return parse_log_level(log_level).value(); }

}  // namespace thumb
