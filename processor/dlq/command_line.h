// `processor dlq ...`: which command with which arguments.
#pragma once

#include <string>

#include "platform/settings.h"
#include "processor/dlq/commands.h"

namespace thumb::dlq {

struct CommandLine {
  enum class Verb : std::uint8_t { kNone, kList, kShow, kRedrive };

  Verb verb = Verb::kNone;  // kNone: the processor itself is to run
  ListOptions list;
  LogPosition shown;
  ShowAs show_as = ShowAs::kText;
  Selection redriven;
  bool dry_run = false;

  // REQUIRES: lives until parse() was called.
  void declare(Settings& settings);

 private:
  [[nodiscard]] std::optional<std::string> read();

  std::int64_t limit_ = 100;
  std::int64_t partition_ = -1;
  std::string position_;
  std::string which_;
  bool all_ = false;
  bool list_json_ = false;
  bool show_json_ = false;
  bool value_only_ = false;
};

}  // namespace thumb::dlq
