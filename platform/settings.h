// Settings of a binary: every one is a flag, an environment variable and a config-file key at once
// (--http-port = THUMB_HTTP_PORT = http-port), each described in one place. Built on CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace thumb {

// How a command line ended before anything ran: print `text` and leave with `exit_code`.
struct EarlyExit {
  int exit_code = 0;
  std::string text;
};

inline constexpr int kExitClean = 0;
inline constexpr int kExitRuntime = 1;
inline constexpr int kExitUsage = 2;

// Collects a binary's settings. Precedence: flag, environment, config file, default.
// All bad settings are reported together, each by flag and variable name.
class Settings {
 public:
  Settings(std::string program, std::string description);

  // `flag` is "--http-port"; the variable THUMB_HTTP_PORT follows from it. `target` holds the
  // default and receives the value; it must outlive parse().
  CLI::Option* text(const std::string& flag, std::string& target, const std::string& help);
  CLI::Option* flag(const std::string& flag, bool& target, const std::string& help);
  CLI::Option* integer(const std::string& flag, std::int64_t& target, std::int64_t min,
                       std::int64_t max, const std::string& help);
  // In milliseconds; the flag's name ends in -ms.
  CLI::Option* duration_ms(const std::string& flag, std::chrono::milliseconds& target,
                           std::chrono::milliseconds min, std::chrono::milliseconds max,
                           const std::string& help);

  // For subcommands and anything the four kinds above don't cover.
  [[nodiscard]] CLI::App& app() { return app_; }

  // Empty if the program should run. Otherwise --help, --version (exit 0) or usage errors (exit 2).
  [[nodiscard]] std::optional<EarlyExit> parse(int argc, const char* const* argv);

 private:
  CLI::Option* number(const std::string& flag, std::int64_t& target, std::int64_t min,
                      std::int64_t max, const std::string& help);
  CLI::App app_;
  std::vector<std::string> problems_;
};

}  // namespace thumb
