// A load that does not wait for its answers to ask the next question, as many clients are that know
// nothing of one another: only so do latencies show a service that stands still.
#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "bench/load/connection.h"
#include "bench/load/workloads.h"

namespace thumb::bench {
namespace {

using Steady = std::chrono::steady_clock;

// Every so many-th question of the whole rate, on a connection of its own.
class Asker {
 public:
  Asker(const Plan& plan, std::size_t number, Steady::time_point begun)
      : plan_(plan), next_(number), begun_(begun), measured_from_(begun + plan.warm_up) {}

  Report run() {
    const auto end = measured_from_ + plan_.measured;
    while (due() < end && !plan_.stop.stop_requested()) {
      std::this_thread::sleep_until(due());
      ask();
      next_ += plan_.connections;
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] Steady::time_point due() const {
    return begun_ + std::chrono::nanoseconds(1'000'000'000 * next_ / plan_.rate);
  }

  void ask() {
    auto answered = ask_for(plan_.ids[next_ % plan_.ids.size()]);
    if (answered && due() >= measured_from_) {
      report_.ms.push_back(
          std::chrono::duration<double, std::milli>(Steady::now() - due()).count());
    }
    if (answered) return;
    connection_.reset();
    if (report_.failed++ == 0) {
      report_.first_failure = answered.error().message + ": " + answered.error().detail;
    }
  }

  Result<std::size_t> ask_for(const std::string& id) {
    if (!connection_) {
      auto opened = Connection::open(plan_.port);
      if (!opened) return Failure(std::move(opened.error()));
      connection_ = std::move(*opened);
    }
    return connection_->get_status_size(id);
  }

  const Plan& plan_;
  std::size_t next_;
  const Steady::time_point begun_;
  const Steady::time_point measured_from_;
  std::optional<Connection> connection_;
  Report report_;
};

}  // namespace

Result<Report> steady_reads(const Plan& plan, const std::function<void()>& measuring) {
  if (plan.ids.empty()) return fail(ErrorKind::kInvalid, "no-ids", "there are no ids to ask for");
  const auto begun = Steady::now();
  std::vector<Report> reports(plan.connections);
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < plan.connections; ++number) {
      threads.emplace_back([&, number] { reports[number] = Asker(plan, number, begun).run(); });
    }
    std::this_thread::sleep_until(begun + plan.warm_up);
    measuring();
  }
  Report whole;
  for (auto& report : reports) {
    whole.ms.insert(whole.ms.end(), report.ms.begin(), report.ms.end());
    whole.failed += report.failed;
    if (whole.first_failure.empty()) whole.first_failure = std::move(report.first_failure);
  }
  whole.count = whole.ms.size();
  whole.seconds = std::chrono::duration<double>(Steady::now() - begun - plan.warm_up).count();
  return whole;
}

}  // namespace thumb::bench
