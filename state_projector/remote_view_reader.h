// ViewReader over the projector's HTTP endpoint, for ingest on other machines than the view.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "platform/http_fetcher.h"
#include "platform/log.h"
#include "state_projector/view_reader.h"
#include "state_projector/view_wire.h"
#include "state_projector/waiters.h"

namespace thumb {

struct RemoteViewOptions {
  std::string url;  // "http://host:port", without a path
  std::size_t connections = 64;
  std::chrono::milliseconds timeout{1'000};  // of one question
  // After a question without an answer all others are refused at once for so long: a projector that
  // hangs must not hold every thread of its callers.
  std::chrono::milliseconds pause{500};
  std::chrono::milliseconds wait_limit{10'000};  // of one request that waits
};

// Each read is a request, on the caller's thread, bounded by the time-out; waits are requests that
// the other side answers late, at most one a partition at a time. While the projector is away every
// read says "view-unavailable" and waits go on until their deadlines. Positions come from the same
// place as rows, so a row read after a position is at least as new; with several projectors behind
// one address that holds only if a caller stays with one of them.
class RemoteViewReader final : public ViewReader {
 public:
  // `log` must outlive it.
  RemoteViewReader(RemoteViewOptions options, Log& log);
  // Tells every waiter false.
  ~RemoteViewReader() override;
  RemoteViewReader(const RemoteViewReader&) = delete;
  RemoteViewReader& operator=(const RemoteViewReader&) = delete;

  [[nodiscard]] Result<std::optional<ImageRow>> get(const ImageId& id) override;
  [[nodiscard]] Result<ListPage> list(const ListQuery& query) override;
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(const ImageId& id) override;
  [[nodiscard]] Result<ViewStats> stats() override;
  [[nodiscard]] Result<ChangePage> changes(std::uint64_t after, std::size_t limit) override;
  [[nodiscard]] Result<std::int64_t> position(Topic topic, std::int32_t partition) override;
  void wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset, Deadline deadline,
                std::function<void(bool reached)> done) override;
  void wait_for_change(std::uint64_t after, Deadline deadline,
                       std::function<void(bool changed)> done) override;

 private:
  // What was heard last of where the view stands.
  struct Heard {
    std::string view_id;
    Positions places;  // positions, and the number of the newest change
  };

  // A request that waits.
  struct Asked {
    Waiters::Wanted wanted;
    Deadline until;       // it is answered by then
    std::string view_id;  // heard last before it
  };

  [[nodiscard]] Result<Fetched> ask(const std::string& path);
  void wait(const Waiters::Wanted& wanted, std::function<void(bool)> done);
  [[nodiscard]] bool reached(const Waiters::Wanted& wanted) const;
  void ask_for_waiters();
  void send_wait(const Waiters::Wanted& wanted);
  void on_wait_answered(const Asked& asked, const Result<Fetched>& answer);
  void note(const ViewStats& stats);
  void note_feed(const ChangePage& page);
  void settle();
  void report(const Result<void>& outcome);
  void run(const std::stop_token& stop);

  const RemoteViewOptions options_;
  Log& log_;
  std::atomic<Deadline> refuse_until_{};
  Waiters waiters_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  Heard heard_;
  bool feed_began_anew_ = false;
  Positions asking_;           // places with a waiting request under way, and its offset
  Deadline ask_not_before_{};  // after a failed one, or one answered too soon
  std::string last_problem_;

  std::unique_ptr<HttpFetcher> fetcher_;  // its callbacks use all of the above
  std::jthread thread_;                   // last: starts when all else is there
};

}  // namespace thumb
