// What the client does to a side, and what it reports. The same for both sides.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "platform/result.h"

namespace thumb::bench {

struct Plan {
  std::uint16_t port = 0;
  std::vector<std::string> images;  // JPEG files, taken in turn
  std::size_t connections = 1;
  std::size_t window = 1;  // images accepted and not completed at once
  std::size_t count = 1;   // images in all, where the work is counted and not timed
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds measured{0};
  // steady_reads only.
  std::vector<std::string> ids;  // asked for in turn
  std::size_t rate = 1;          // questions a second, over all connections
  std::stop_token stop;          // ends the measured time early
};

struct Report {
  std::size_t count = 0;            // what was done within the measured time
  double seconds = 0;               // the measured time
  std::vector<double> ms;           // of each of them
  std::vector<double> accepted_ms;  // latency only: the part until the 202
  // steady_reads only: questions without the answer that was expected, and what the first one got.
  std::size_t failed = 0;
  std::string first_failure;
};

// A failure of any one request fails the whole, but for steady_reads: a run with errors measures
// nothing.

// POSTs over all connections at once, each as soon as its last was answered.
[[nodiscard]] Result<Report> accepted(const Plan& plan);

// Keeps `window` images between POST and completion; counts completions, as a client sees them: by
// the status of the oldest, asked every 5 ms while it is not completed. Returns when all are.
[[nodiscard]] Result<Report> completed(const Plan& plan);

// `count` images one at a time, with a pause of 5 to 25 ms: from the first byte of the POST to the
// answer that says completed. The status is asked again 1 ms after each answer that says otherwise.
[[nodiscard]] Result<Report> latency(const Plan& plan);

// GETs of the status of `count` completed images over all connections.
[[nodiscard]] Result<Report> status_reads(const Plan& plan);

// GETs of the status of `ids` at `rate`, whatever the answers take: what waits for its turn because
// the one before it was late counts from when it was due. Failures are counted, not the end of it.
// Calls `measuring` when the warm-up is over.
[[nodiscard]] Result<Report> steady_reads(const Plan& plan, const std::function<void()>& measuring);

}  // namespace thumb::bench
