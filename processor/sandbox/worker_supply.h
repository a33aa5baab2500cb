// Keeps a number of confined workers alive and lends them out, one image at a time. One thread of
// its own starts the zygote, has it fork what is missing, and learns who died.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/log.h"
#include "processor/backoff.h"
#include "processor/sandbox/death.h"
#include "processor/sandbox/sandbox_metrics.h"
#include "processor/sandbox/worker_link.h"
#include "processor/sandbox/zygote_process.h"

namespace thumb {

struct SupplyOptions {
  std::size_t workers = 1;
  std::vector<std::string> zygote_arguments;
  std::uint64_t input_bytes = 64ULL << 20U;  // largest original
  std::uint64_t output_bytes = 128ULL << 20U;
};

// Thread-safe.
class WorkerSupply {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // REQUIRES: `log` and `metrics` outlive it.
  WorkerSupply(SupplyOptions options, Log& log, SandboxMetrics& metrics);
  // Ends all workers. REQUIRES: none is lent out.
  ~WorkerSupply();
  WorkerSupply(const WorkerSupply&) = delete;
  WorkerSupply& operator=(const WorkerSupply&) = delete;

  // Waits until there has been a worker. Error: none could be started ("decoder-unavailable").
  [[nodiscard]] Result<void> await_first(Deadline deadline);

  // A worker of one's own, in the order of asking; null if there was none before the deadline.
  [[nodiscard]] std::shared_ptr<WorkerLink> take(Deadline deadline);

  enum class Fate {
    kKeep,
    kRetire,  // ends by itself
    kKill,    // hangs, or can't be trusted any more
  };
  void give_back(const std::shared_ptr<WorkerLink>& worker, Fate fate);

  // How a worker ended whose channel has closed. REQUIRES: it is lent out to the caller.
  [[nodiscard]] Death await_death(const WorkerLink& worker, Deadline deadline);

  // False while workers or the zygote keep dying at their start.
  [[nodiscard]] bool healthy() const;

 private:
  enum class State { kStarting, kIdle, kLent, kEnding };
  struct Entry {
    std::shared_ptr<WorkerLink> link;
    State state = State::kStarting;
    bool ended = false;
    bool to_kill = false;
    bool kill_asked = false;
    Death death;
    Deadline deadline;  // of the state, where it has one
  };
  using Entries = std::map<std::uint32_t, Entry>;

  // All below runs on the keeper's thread.
  void keep(const std::stop_token& stop);
  void tend_zygote();
  void fork_missing();
  void end_overdue();
  void wait_for_news();
  void hear_zygote();
  void hear_worker(std::uint32_t id);
  void hear_errors();
  void lose_zygote(std::string_view what);
  void show_confinement(std::uint32_t confined_by);
  // REQUIRES: mutex_ held, here and below.
  void call_next();
  void start_failed(std::string_view what);
  void bury(Entries::iterator entry, const Death& death);
  void show_alive();
  [[nodiscard]] std::size_t alive() const;

  void wake() const;

  const SupplyOptions options_;
  Log& log_;
  SandboxMetrics& metrics_;
  UniqueFd wake_;

  // The keeper's own.
  std::unique_ptr<ZygoteProcess> zygote_;
  bool zygote_up_ = false;
  bool confinement_shown_ = false;
  unsigned zygote_starts_ = 0;
  Deadline zygote_deadline_;
  Deadline not_before_;        // back-off of starts
  std::string recent_errors_;  // the end of what was written to stderr
  std::size_t logged_bytes_ = 0;
  Deadline logged_since_;
  std::uint32_t next_id_ = 1;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // a first worker, or a death
  Entries entries_;
  std::vector<std::uint32_t> idle_;  // the last one used is taken first: its memory is warm
  // Callers of take(), in order, each with a signal of its own: one worker wakes one of them.
  std::list<std::condition_variable> waiting_;
  unsigned failures_ = 0;  // starts that failed since one went well
  std::string trouble_;    // the last of them

  std::jthread keeper_;  // last: uses all of the above
};

}  // namespace thumb
