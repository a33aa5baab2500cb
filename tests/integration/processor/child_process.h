// A binary of ours, run and ended by a test. It dies with the test.
#pragma once

#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace thumb::testing {

class ChildProcess {
 public:
  // Starts `command` with `environment` added to ours; its stderr goes to `log`.
  ChildProcess(const std::vector<std::string>& command,
               const std::map<std::string, std::string>& environment,
               const std::filesystem::path& log);
  ~ChildProcess();  // SIGKILL, if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void send(int signal) const;
  // Its exit code, or 128 + the signal that ended it; nothing if it still runs after a minute.
  [[nodiscard]] std::optional<int> wait();

 private:
  int pid_ = -1;  // -1: ended and collected
};

}  // namespace thumb::testing
