#include "tests/integration/sandbox/process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/text.h"

namespace thumb::testing {
namespace {

std::string proc_file(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Stat {
  char state = 'X';
  pid_t parent = 0;
  unsigned long ticks = 0;  // of processor time
};

// proc(5): pid (name) state ppid ...; the name may hold anything, so from its last bracket on.
Stat stat_of(pid_t pid) {
  const std::string text = proc_file(pid, "stat");
  const auto end = text.rfind(')');
  Stat stat;
  if (end == std::string::npos) return stat;
  std::istringstream fields(text.substr(end + 1));
  fields >> stat.state >> stat.parent;
  std::string skipped;
  for (int i = 5; i < 14; ++i) fields >> skipped;
  unsigned long user = 0, kernel = 0;
  fields >> user >> kernel;
  stat.ticks = user + kernel;
  return stat;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto pid = parse_u64(entry.path().filename().string());
    if (!pid) continue;
    const Stat stat = stat_of(static_cast<pid_t>(*pid));
    if (stat.parent == parent && stat.state != 'Z' && stat.state != 'X') {
      found.push_back(static_cast<pid_t>(*pid));
    }
  }
  return found;
}

std::vector<pid_t> descendants_of(pid_t parent) {
  std::vector<pid_t> all = children_of(parent);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto more = children_of(all[i]);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

bool is_running(pid_t pid) {
  const char state = stat_of(pid).state;
  return state != 'X' && state != 'Z';
}

std::vector<pid_t> busiest(const std::vector<pid_t>& pids) {
  std::vector<pid_t> busy;
  std::ranges::copy_if(pids, std::back_inserter(busy), [](pid_t pid) {
    constexpr unsigned long kMoreThanAStartTakes = 5;
    const Stat stat = stat_of(pid);
    return stat.state == 'R' && stat.ticks > kMoreThanAStartTakes;
  });
  return busy;
}

std::string environment_of(pid_t pid) { return proc_file(pid, "environ"); }

std::size_t resident_bytes(pid_t pid) {
  std::istringstream statm(proc_file(pid, "statm"));
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace thumb::testing
