// A piece of work cut in shares, done by as many threads, over when all are.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "platform/result.h"

namespace thumb {

// Runs `work` for each number below `count`, each on a thread of its own, and gives the first
// error; the others are told to stop then, as by `stop`.
[[nodiscard]] Result<void> on_threads(
    std::size_t count, const std::stop_token& stop,
    const std::function<Result<void>(std::size_t, const std::stop_token&)>& work);

// What work gives up with that was told to stop: kUnavailable/"stopped".
[[nodiscard]] Failure told_to_stop();

}  // namespace thumb
