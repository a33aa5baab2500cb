// Settings that every service shares, so that each has one name, one default and one description.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "platform/log.h"
#include "platform/settings.h"

namespace thumb {

struct CommonSettings {
  std::string data_dir = ".run";   // THUMB_DATA_DIR: blobs/ and view/ lie below it
  std::string kafka_bootstrap;     // THUMB_KAFKA_BOOTSTRAP: empty = 127.0.0.1:<kafka_port>
  std::int64_t kafka_port = 9092;  // THUMB_KAFKA_PORT
  std::string kafka_options;       // THUMB_KAFKA_OPTIONS: "key=value;key=value" for librdkafka
  std::string topic_prefix;        // THUMB_TOPIC_PREFIX
  std::string log_level = "info";  // THUMB_LOG_LEVEL
  std::int64_t admin_port = 0;     // THUMB_ADMIN_PORT: /metrics and probes; 0 = none

  void declare(Settings& settings);

  [[nodiscard]] std::string bootstrap() const;
  [[nodiscard]] std::map<std::string, std::string> kafka_overrides() const;  // REQUIRES: parsed
  [[nodiscard]] std::filesystem::path blob_dir() const;                      // <data_dir>/blobs
  [[nodiscard]] std::filesystem::path view_dir() const;                      // <data_dir>/view
  [[nodiscard]] LogLevel level() const;  // REQUIRES: parse() succeeded
};

}  // namespace thumb
