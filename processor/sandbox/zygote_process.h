// The processor's hold on its zygote: started from this binary anew, so that it has neither threads
// nor secrets; told to fork and to kill; ended with this object.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/file_io.h"
#include "platform/result.h"
#include "processor/sandbox/messages.h"

namespace thumb {

// Not thread-safe. REQUIRES: the thread that starts it lives as long (the kernel ends the zygote
// with that thread).
class ZygoteProcess {
 public:
  // Does not wait for it to be up (ZygoteNews::kUp). kUnavailable/"io-error".
  [[nodiscard]] static Result<std::unique_ptr<ZygoteProcess>> start(
      const std::vector<std::string>& arguments);
  // Ends it and with it its workers; waits for that.
  ~ZygoteProcess();
  ZygoteProcess(const ZygoteProcess&) = delete;
  ZygoteProcess& operator=(const ZygoteProcess&) = delete;

  // False: it is gone, or does not listen.
  [[nodiscard]] bool fork_worker(std::uint32_t worker, const std::array<int, 3>& fds);
  [[nodiscard]] bool kill_worker(std::uint32_t worker);

  // To be polled: reports, and what it and its workers write to stderr.
  [[nodiscard]] int reports() const { return channel_.get(); }
  [[nodiscard]] int errors() const { return errors_.get(); }
  // REQUIRES: readable. Nothing: it is gone.
  [[nodiscard]] std::optional<ZygoteReport> next_report();
  // At most a few kilobytes; empty if there is nothing at the moment.
  [[nodiscard]] std::string read_errors();

 private:
  ZygoteProcess(UniqueFd channel, UniqueFd errors, pid_t pid)
      : channel_(std::move(channel)), errors_(std::move(errors)), pid_(pid) {}
  UniqueFd channel_;
  UniqueFd errors_;
  pid_t pid_;
};

}  // namespace thumb
