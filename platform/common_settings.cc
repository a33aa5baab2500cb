// Declares the shared settings and derives paths and addresses from them.
#include "platform/common_settings.h"

#include <fmt/format.h>

namespace thumb {

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
  std::string_view rest = kafka_options;
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find(';'));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) {
      overrides.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
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
