// The second half of WorkerSupply: what the keeper hears of its zygote and workers.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "processor/sandbox/confine.h"
#include "processor/sandbox/messages.h"
#include "processor/sandbox/worker_supply.h"

namespace thumb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Reason = SandboxMetrics::Reason;

constexpr milliseconds kLongestWait{1'000};
constexpr milliseconds kShortestWait{10};
constexpr Backoff kStartBackoff{milliseconds(50), milliseconds(10'000)};
constexpr std::size_t kKeptErrorBytes = 2'048;
constexpr std::size_t kLoggedBytesPerSecond = 16U << 10U;

}  // namespace

void WorkerSupply::wait_for_news() {
  std::vector<pollfd> waited = {{wake_.get(), POLLIN, 0}};
  if (zygote_ != nullptr) {
    waited.push_back({zygote_->errors(), POLLIN, 0});
    waited.push_back({zygote_->reports(), POLLIN, 0});
  }
  const std::size_t first_worker = waited.size();
  std::vector<std::uint32_t> ids;
  auto deadline = steady_clock::now() + kLongestWait;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (entry.ended || entry.state == State::kIdle || entry.state == State::kLent) continue;
      deadline = std::min(deadline, entry.deadline);
      if (entry.state != State::kStarting) continue;
      waited.push_back({entry.link->channel.get(), POLLIN, 0});
      ids.push_back(id);
    }
  }
  if (not_before_ > steady_clock::now()) deadline = std::min(deadline, not_before_);
  const auto wait =
      std::max(kShortestWait, std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
  if (poll(waited.data(), waited.size(), static_cast<int>(wait.count())) <= 0) return;

  eventfd_t ignored = 0;
  eventfd_read(wake_.get(), &ignored);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if ((waited[first_worker + i].revents & POLLIN) != 0) hear_worker(ids[i]);
  }
  if (zygote_ == nullptr) return;
  if (waited[1].revents != 0) hear_errors();
  if (waited[2].revents != 0) hear_zygote();
}

// Of a starting worker: that it is ready. Its end is told by the zygote.
void WorkerSupply::hear_worker(std::uint32_t id) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.state != State::kStarting) return;
    const auto report = receive_struct<WorkerReport>(found->second.link->channel.get());
    if (!report || report->news != WorkerNews::kReady) return;
    // Before it gets any image: what is said of one comes after how it was decoded.
    show_confinement(static_cast<std::uint32_t>(report->value));
    found->second.state = State::kIdle;
    idle_.push_back(id);
    call_next();
    failures_ = 0;
    show_alive();
  }
  changed_.notify_all();
}

void WorkerSupply::hear_zygote() {
  const auto report = zygote_->next_report();
  if (!report) return lose_zygote("it ended");
  if (report->news == ZygoteNews::kUp) {
    zygote_up_ = true;
    return;
  }
  if (report->news == ZygoteNews::kForked) return;
  hear_errors();  // what it wrote before its end
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(report->worker);
  if (entry == entries_.end()) return;
  const bool never_was = report->news == ZygoteNews::kForkFailed;
  bury(entry, never_was ? Death() : Death(report->status));
}

void WorkerSupply::hear_errors() {
  const std::string text = zygote_->read_errors();
  if (text.empty()) return;
  recent_errors_ += text;
  if (recent_errors_.size() > kKeptErrorBytes) {
    recent_errors_.erase(0, recent_errors_.size() - kKeptErrorBytes);
  }
  const auto now = steady_clock::now();
  if (now - logged_since_ > seconds(1)) {
    logged_since_ = now;
    logged_bytes_ = 0;
  }
  logged_bytes_ += text.size();
  if (logged_bytes_ <= kLoggedBytesPerSecond) log_.debug("from a decoder", {{"text", text}});
}

void WorkerSupply::bury(Entries::iterator entry, const Death& death) {
  const auto [id, state] = std::pair(entry->first, entry->second.state);
  if (state == State::kStarting) {
    metrics_.count(Reason::kStart);
    start_failed("a worker ended at its start: " + describe(death));
  }
  if (state == State::kIdle) {
    std::erase(idle_, id);
    metrics_.count(death ? Reason::kKilled : Reason::kZygote);
  }
  const bool unexpected = state == State::kIdle || state == State::kLent;
  if (unexpected && death) {
    log_.warn("a decoding process died", {{"how", describe(death)}, {"wrote", recent_errors_}});
    recent_errors_.clear();
  }
  if (state == State::kLent) {
    entry->second.ended = true;
    entry->second.death = death;
  } else {
    entries_.erase(entry);
  }
  show_alive();
  changed_.notify_all();
}

void WorkerSupply::start_failed(std::string_view what) {
  trouble_ = std::string(what) + "; " + recent_errors_;
  not_before_ = steady_clock::now() + kStartBackoff.delay(failures_, 0.5);
  ++failures_;
  log_.error("decoding processes can't be started",
             {{"failures", failures_}, {"why", what}, {"wrote", recent_errors_}});
  recent_errors_.clear();
  changed_.notify_all();
}

void WorkerSupply::lose_zygote(std::string_view what) {
  hear_errors();
  zygote_.reset();
  const std::scoped_lock lock(mutex_);
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto entry = at++;
    if (entry->second.ended) continue;
    // Starting ones are no failures of their own.
    if (entry->second.state == State::kStarting) entry->second.state = State::kEnding;
    bury(entry, std::nullopt);
  }
  if (zygote_up_) {
    log_.warn("the decode zygote is lost and will be replaced", {{"why", what}});
    not_before_ = steady_clock::now() + kStartBackoff.delay(failures_, 0.5);
  } else {
    start_failed(std::string("the zygote: ") + std::string(what));
  }
  zygote_up_ = false;
}

void WorkerSupply::show_confinement(std::uint32_t confined_by) {
  metrics_.show(confined_by);
  if (std::exchange(confinement_shown_, true)) return;
  const bool all = (confined_by & (kByNoNewPrivileges | kByResourceLimits | kBySeccomp)) ==
                   (kByNoNewPrivileges | kByResourceLimits | kBySeccomp);
  const LogFields fields = {{"seccomp", (confined_by & kBySeccomp) != 0},
                            {"landlock", (confined_by & kByLandlock) != 0},
                            {"resource_limits", (confined_by & kByResourceLimits) != 0},
                            {"no_new_privileges", (confined_by & kByNoNewPrivileges) != 0}};
  if (all) {
    log_.info("decoding is confined", fields);
  } else {
    log_.warn("decoding is less confined than it should be: this system does not permit more",
              fields);
  }
}

}  // namespace thumb
