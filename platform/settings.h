// Settings of a binary: every one is a flag, an environment variable and a config-file key at once
// (--http-port = THUMB_HTTP_PORT = http-port=...), each described in one place. Built on CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace thumb {

// How a command line ended before anything ran: print `text` and leave with `exit_code`.
struct EarlyExit {
  int exit_code = 0;
  std::string text;
};

inline constexpr int kExitClean = 0;
inline constexpr int kExitRuntime = 1;
inline constexpr int kExitUsage = 2;

// Collects a binary's settings. Precedence: flag, environment, config file (--config or
// THUMB_CONFIG, TOML), default. All bad settings are reported together, each by flag and variable.
class Settings {
 public:
  Settings(const std::string& program, const std::string& description);

  // `flag` is "--http-port"; the variable THUMB_HTTP_PORT follows from it. `target` holds the
  // default and receives the value; it must outlive parse().
  void text(const std::string& flag, std::string& target, const std::string& help);
  void flag(const std::string& flag, bool& target, const std::string& help);
  void integer(const std::string& flag, std::int64_t& target, std::int64_t min, std::int64_t max,
               const std::string& help);
  // In milliseconds; the flag's name ends in -ms.
  void duration_ms(const std::string& flag, std::chrono::milliseconds& target,
                   std::chrono::milliseconds min, std::chrono::milliseconds max,
                   const std::string& help);
  // A rule over several settings: returns what is wrong, or nothing. Run after all were read.
  void check(std::function<std::optional<std::string>()> rule);

  // For subcommands. Settings stand on the app itself, so they go before or after a subcommand.
  [[nodiscard]] CLI::App& app() { return app_; }

  // Empty if the program should run. Otherwise --help, --version (exit 0) or usage errors (exit 2).
  [[nodiscard]] std::optional<EarlyExit> parse(int argc, const char* const* argv);

 private:
  // Every option is read as text, so that one bad value does not hide the next.
  CLI::Option* option(const std::string& flag, const std::string& shown_default,
                      const std::string& help);
  [[nodiscard]] std::vector<std::string> with_environment(int argc, const char* const* argv) const;
  [[nodiscard]] std::string report(const std::vector<std::string>& problems) const;

  CLI::App app_;
  std::vector<std::string> flags_;
  // Reads one setting into its target, or says what is wrong with it.
  std::vector<std::function<std::optional<std::string>()>> readers_;
  std::vector<std::function<std::optional<std::string>()>> rules_;
};

}  // namespace thumb
