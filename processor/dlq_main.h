// The other thing that the processor's binary does: the operator's commands about dead letters.
#pragma once

#include "platform/common_settings.h"
#include "processor/dlq/command_line.h"

namespace thumb {

// Runs the command over real adapters; returns the exit code. Joins no group, opens no transaction.
// REQUIRES: command.verb is not kNone; called before any thread is made.
[[nodiscard]] int run_dlq(const dlq::CommandLine& command, const CommonSettings& common);

}  // namespace thumb
