#include "processor/dlq/command_line.h"

#include <limits>

namespace thumb::dlq {

void CommandLine::declare(Settings& settings) {
  auto& app = settings.app();
  app.require_subcommand(0, 1);
  auto* dlq = app.add_subcommand("dlq", "Dead letters: list, show, redrive (then nothing is run)");
  dlq->require_subcommand(1, 1);

  auto* list_verb = dlq->add_subcommand("list", "The dead letters, oldest first, one a line");
  list_verb->callback([this] { verb = Verb::kList; });
  list_verb->add_flag("--json", list_json_, "One JSON object a line");
  list_verb->add_option("--limit", limit_, "The newest so many; 0: all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  list_verb->add_option("--partition", partition_, "Of this partition of image-requests-dlq alone")
      ->check(CLI::Range(0, std::numeric_limits<std::int32_t>::max()));

  auto* show_verb = dlq->add_subcommand("show", "One of them, with all headers and its value");
  show_verb->callback([this] { verb = Verb::kShow; });
  show_verb->add_option("position", position_, "partition:offset, as list prints it")->required();
  show_verb->add_flag("--json", show_json_, "As one JSON object");
  show_verb->add_flag("--value-only", value_only_, "The value alone, byte for byte");

  auto* redrive_verb = dlq->add_subcommand(
      "redrive", "Put them back on image-requests, those that were not put back before");
  redrive_verb->callback([this] { verb = Verb::kRedrive; });
  redrive_verb->add_option("which", which_, "partition:offset or partition:first-last");
  redrive_verb->add_flag("--all", all_, "All dead letters");
  redrive_verb->add_flag("--dry-run", dry_run, "Say what would be done, and do nothing");

  settings.check([this] { return read(); });
}

// What is wrong, if anything is.
std::optional<std::string> CommandLine::read() {
  list.as_json = list_json_;
  list.limit = static_cast<std::size_t>(limit_);
  if (partition_ >= 0) list.partition = static_cast<std::int32_t>(partition_);
  if (verb == Verb::kShow) {
    const auto position = parse_log_position(position_);
    if (!position) return "dlq show: " + position.error().message;
    if (show_json_ && value_only_) return "dlq show: --json or --value-only, not both";
    shown = *position;
    show_as = show_json_ ? ShowAs::kJson : value_only_ ? ShowAs::kValueOnly : ShowAs::kText;
  }
  if (verb == Verb::kRedrive) {
    if (all_ != which_.empty()) return "dlq redrive: name dead letters, or say --all";
    if (all_) return std::nullopt;
    const auto selection = parse_selection(which_);
    if (!selection) return "dlq redrive: " + selection.error().message;
    redriven = *selection;
  }
  return std::nullopt;
}

}  // namespace thumb::dlq
