#include "bench/load/workloads.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "bench/load/connection.h"
#include "bench/load/outstanding.h"

namespace thumb::bench {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPollWhileBusy{5};
constexpr milliseconds kPollAlone{1};
constexpr std::chrono::seconds kCompletionLimit{60};

double ms_since(Steady::time_point start) {
  return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

// The measured stretch of a timed workload.
class Stretch {
 public:
  explicit Stretch(const Plan& plan)
      : from_(Steady::now() + plan.warm_up), to_(from_ + plan.measured) {}
  [[nodiscard]] bool over() const { return Steady::now() >= to_; }
  // Counts something that took since `start` and ended now, if that is in the stretch.
  void note(Report& report, Steady::time_point start) const {
    const auto now = Steady::now();
    if (now >= from_ && now < to_) report.ms.push_back(ms_since(start));
  }
  [[nodiscard]] Report finish(Report report) const {
    report.count = report.ms.size();
    report.seconds = std::chrono::duration<double>(to_ - from_).count();
    return report;
  }

 private:
  Steady::time_point from_;
  Steady::time_point to_;
};

// Where the clients of one run leave what went wrong first.
class FirstError {
 public:
  void note(const Error& error) {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = error;
    any_ = true;
  }
  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] Result<Report> or_else(Report report) const {
    if (error_) return Failure(*error_);
    return report;
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> any_ = false;
  std::optional<Error> error_;
};

using Client = std::function<Result<void>(Connection&, Report&)>;

// Runs one client a connection, each on a thread of its own, and adds their reports up.
Report run_clients(const Plan& plan, FirstError& failed, const Client& client) {
  std::vector<Report> reports(plan.connections);
  {
    std::vector<std::jthread> threads;
    for (auto& report : reports) {
      threads.emplace_back([&] {
        auto connection = Connection::open(plan.port);
        if (!connection) return failed.note(connection.error());
        if (auto done = client(*connection, report); !done) failed.note(done.error());
      });
    }
  }
  Report whole;
  for (const auto& report : reports) {
    whole.ms.insert(whole.ms.end(), report.ms.begin(), report.ms.end());
  }
  return whole;
}

// Hands out the images in turn.
class Images {
 public:
  explicit Images(const Plan& plan) : images_(plan.images) {}
  ByteView next() { return as_bytes(images_[next_++ % images_.size()]); }

 private:
  const std::vector<std::string>& images_;
  std::atomic<std::size_t> next_ = 0;
};

Result<void> await_completion(Connection& connection, const std::string& id, milliseconds pause) {
  const auto deadline = Steady::now() + kCompletionLimit;
  while (true) {
    const auto status = connection.get_status(id);
    if (!status) return Failure(status.error());
    if (status->state == "completed") return {};
    if (status->state == "failed" || Steady::now() >= deadline) {
      return fail(ErrorKind::kInternal, "not-completed", "an image did not complete", id);
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Result<Report> accepted(const Plan& plan) {
  const Stretch stretch(plan);
  Images images(plan);
  FirstError failed;
  auto report =
      run_clients(plan, failed, [&](Connection& connection, Report& mine) -> Result<void> {
        while (!stretch.over() && !failed.any()) {
          const auto start = Steady::now();
          if (auto posted = connection.post_jpeg(images.next()); !posted) {
            return Failure(posted.error());
          }
          stretch.note(mine, start);
        }
        return {};
      });
  return failed.or_else(stretch.finish(std::move(report)));
}

Result<Report> completed(const Plan& plan) {
  const Stretch stretch(plan);
  Images images(plan);
  Outstanding outstanding(plan.window);
  FirstError failed;
  Report seen;
  std::jthread watcher([&] {
    auto connection = Connection::open(plan.port);
    if (!connection) failed.note(connection.error());
    auto last = Steady::now();
    while (connection && !failed.any()) {
      const auto id = outstanding.oldest();
      if (!id) return;
      if (auto done = await_completion(*connection, *id, kPollWhileBusy); !done) {
        failed.note(done.error());
        break;
      }
      stretch.note(seen, std::exchange(last, Steady::now()));
      outstanding.pop();
      if (stretch.over()) outstanding.close();
    }
    outstanding.close();
  });
  run_clients(plan, failed, [&](Connection& connection, Report&) -> Result<void> {
    while (!stretch.over() && !failed.any() && outstanding.reserve()) {
      const auto posted = connection.post_jpeg(images.next());
      if (!posted) {
        outstanding.close();
        return Failure(posted.error());
      }
      outstanding.add(posted->id);
    }
    return {};
  });
  outstanding.close();
  watcher.join();
  return failed.or_else(stretch.finish(std::move(seen)));
}

Result<Report> latency(const Plan& plan) {
  auto connection = Connection::open(plan.port);
  if (!connection) return Failure(connection.error());
  Images images(plan);
  Report report;
  std::mt19937 random(1);  // not in step with any timer of either side
  std::uniform_int_distribution<int> pause_us(5'000, 25'000);
  const auto begun = Steady::now();
  while (report.ms.size() < plan.count) {
    const auto start = Steady::now();
    const auto posted = connection->post_jpeg(images.next());
    if (!posted) return Failure(posted.error());
    report.accepted_ms.push_back(ms_since(start));
    if (auto done = await_completion(*connection, posted->id, kPollAlone); !done) {
      return Failure(done.error());
    }
    report.ms.push_back(ms_since(start));
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us(random)));
  }
  report.count = report.ms.size();
  report.seconds = ms_since(begun) / 1'000;
  return report;
}

Result<Report> status_reads(const Plan& plan) {
  auto uploader = Connection::open(plan.port);
  if (!uploader) return Failure(uploader.error());
  Images images(plan);
  std::vector<std::string> ids;
  while (ids.size() < plan.count) {
    const auto posted = uploader->post_jpeg(images.next());
    if (!posted) return Failure(posted.error());
    ids.push_back(posted->id);
  }
  for (const auto& id : ids) {
    if (auto done = await_completion(*uploader, id, kPollWhileBusy); !done) {
      return Failure(done.error());
    }
  }
  const Stretch stretch(plan);
  FirstError failed;
  std::atomic<std::size_t> next = 0;
  auto report =
      run_clients(plan, failed, [&](Connection& connection, Report& mine) -> Result<void> {
        while (!stretch.over() && !failed.any()) {
          const auto start = Steady::now();
          if (auto read = connection.get_status_size(ids[next++ % ids.size()]); !read) {
            return Failure(read.error());
          }
          stretch.note(mine, start);
        }
        return {};
      });
  return failed.or_else(stretch.finish(std::move(report)));
}

}  // namespace thumb::bench
