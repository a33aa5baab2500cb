#include "platform/failpoint.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "platform/text.h"

namespace thumb {
namespace {

struct Plan {
  std::string name;  // empty: none
  std::int64_t passage = 1;
  int signal = SIGKILL;
};

// The part before the next ':', which is taken off `text`.
std::string_view next_part(std::string_view& text) {
  const auto part = text.substr(0, text.find(':'));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

Plan plan_of(const char* text) {
  if (text == nullptr) return {};
  std::string_view rest(text);
  Plan plan{std::string(next_part(rest))};
  plan.passage = parse_i64(next_part(rest)).value_or(1);
  if (rest == "stop") plan.signal = SIGSTOP;
  return plan;
}

// Past every buffer: nobody flushes one any more.
void say(std::string_view name) {
  const std::string line = fmt::format("failpoint {}\n", name);
  std::ignore = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void failpoint(std::string_view name) {
  static const Plan kPlan = plan_of(std::getenv("THUMB_FAILPOINT"));
  static std::atomic<std::int64_t> passed{0};
  if (name != kPlan.name || ++passed != kPlan.passage) return;
  say(name);
  std::raise(kPlan.signal);
}

}  // namespace thumb
