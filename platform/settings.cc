// CLI11 reads flags, environment and file as text; the values are judged here, all of them, so
// that an operator sees every mistake at once.
#include "platform/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "platform/text.h"

namespace thumb {
namespace {

std::string variable_of(const std::string& flag) {
  std::string name = "THUMB_" + flag.substr(2);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return name;
}

std::string named(const std::string& flag) {
  return fmt::format("{} ({})", flag, variable_of(flag));
}

std::optional<bool> parse_bool(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

}  // namespace

Settings::Settings(const std::string& program, const std::string& description)
    : app_(description, program) {
  app_.set_version_flag("--version", program + " " + THUMB_VERSION);
  app_.set_config("--config", "", "Read settings from this TOML file")->envname("THUMB_CONFIG");
  flags_.emplace_back("--config");
  app_.allow_config_extras(false);
  app_.fallthrough();
}

// CLI11 lets the config file win over the environment; so what the environment says is put among
// the arguments, unless the command line says otherwise. An empty variable counts as unset.
std::vector<std::string> Settings::with_environment(int argc, const char* const* argv) const {
  std::vector<std::string> args(argv + 1, argv + argc);
  std::vector<std::string> from_environment;
  const auto on_command_line = [&](const std::string& flag) {
    return std::ranges::any_of(
        args, [&](const std::string& arg) { return arg == flag || arg.starts_with(flag + "="); });
  };
  for (const auto& flag : flags_) {
    const char* value = std::getenv(variable_of(flag).c_str());
    if (value != nullptr && *value != '\0' && !on_command_line(flag)) {
      from_environment.push_back(flag + "=" + value);
    }
  }
  args.insert(args.begin(), from_environment.begin(), from_environment.end());
  std::ranges::reverse(args);  // the order that CLI::App::parse(vector) takes
  return args;
}

CLI::Option* Settings::option(const std::string& flag, const std::string& shown_default,
                              const std::string& help) {
  flags_.push_back(flag);
  return app_.add_option(flag, help)->envname(variable_of(flag))->default_str(shown_default);
}

void Settings::text(const std::string& flag, std::string& target, const std::string& help) {
  const auto* given = option(flag, target, help)->type_name("TEXT");
  readers_.emplace_back([given, &target]() -> std::optional<std::string> {
    if (given->count() > 0) target = given->results().back();
    return std::nullopt;
  });
}

void Settings::flag(const std::string& flag, bool& target, const std::string& help) {
  // CLI11 would take a shown default for the value of a bare `--flag`, so the help text has it.
  const auto* given = option(flag, "", help + (target ? " (default true)" : " (default false)"))
                          ->type_name("[BOOL]")
                          ->expected(0, 1);
  readers_.emplace_back([given, flag, &target]() -> std::optional<std::string> {
    if (given->count() == 0) return std::nullopt;
    const auto text = given->results().back();
    const auto value = text.empty() ? std::optional(true) : parse_bool(text);  // bare: yes
    if (!value) return fmt::format("{}: '{}' is neither true nor false", named(flag), text);
    target = *value;
    return std::nullopt;
  });
}

void Settings::integer(const std::string& flag, std::int64_t& target, std::int64_t min,
                       std::int64_t max, const std::string& help) {
  const auto* given =
      option(flag, std::to_string(target), help)->type_name(fmt::format("INT [{}..{}]", min, max));
  readers_.emplace_back([=, &target]() -> std::optional<std::string> {
    if (given->count() == 0) return std::nullopt;
    const auto text = given->results().back();
    const auto value = parse_i64(text);
    if (!value || *value < min || *value > max) {
      return fmt::format("{}: '{}' is not a whole number from {} to {}", named(flag), text, min,
                         max);
    }
    target = *value;
    return std::nullopt;
  });
}

void Settings::duration_ms(const std::string& flag, std::chrono::milliseconds& target,
                           std::chrono::milliseconds min, std::chrono::milliseconds max,
                           const std::string& help) {
  const auto held = std::make_shared<std::int64_t>(target.count());
  integer(flag, *held, min.count(), max.count(), help);
  readers_.emplace_back([held, &target]() -> std::optional<std::string> {
    target = std::chrono::milliseconds(*held);
    return std::nullopt;
  });
}

void Settings::check(std::function<std::optional<std::string>()> rule) {
  rules_.push_back(std::move(rule));
}

std::string Settings::report(const std::vector<std::string>& problems) const {
  return fmt::format("{}: {} bad setting{}:\n  {}\nSee {} --help\n", app_.get_name(),
                     problems.size(), problems.size() == 1 ? "" : "s", fmt::join(problems, "\n  "),
                     app_.get_name());
}

std::optional<EarlyExit> Settings::parse(int argc, const char* const* argv) {
  std::vector<std::string> problems;
  try {
    app_.parse(with_environment(argc, argv));
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{kExitClean, app_.help("", CLI::AppFormatMode::Normal)};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{kExitClean, app_.version() + "\n"};
  } catch (const CLI::ParseError& error) {
    problems.emplace_back(error.what());
  }
  for (const auto& read : readers_) {
    if (auto problem = read()) problems.push_back(std::move(*problem));
  }
  for (const auto& rule : rules_) {
    if (auto problem = rule()) problems.push_back(std::move(*problem));
  }
  if (problems.empty()) return std::nullopt;
  return EarlyExit{kExitUsage, report(problems)};
}

}  // namespace thumb
