// One thread keeps deadlines and sees to it that each place somebody waits at is asked about.
#include "state_projector/remote_view_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

Failure unavailable(const std::string& detail) {
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "the view can't be asked",
                        detail);
}

template <typename T>
Result<T> as_reader_sees(Result<T> decoded) {
  if (decoded) return decoded;
  return unavailable(decoded.error().code);
}

Failure refused(const Fetched& answer) {
  if (answer.status == 400) {
    return fail(ErrorKind::kInvalid, "bad-cursor", "cursor is not one that a list gave");
  }
  return unavailable("status " + std::to_string(answer.status));
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

RemoteViewReader::RemoteViewReader(RemoteViewOptions options, Log& log)
    : options_(std::move(options)),
      log_(log),
      fetcher_(std::make_unique<HttpFetcher>(options_.connections)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

RemoteViewReader::~RemoteViewReader() {
  thread_.request_stop();
  thread_.join();
  fetcher_.reset();
}

Result<Fetched> RemoteViewReader::ask(const std::string& path) {
  if (Steady::now() < refuse_until_.load()) return unavailable("it did not answer just now");
  auto answer = fetcher_->fetch_and_wait(options_.url + path, options_.timeout);
  if (!answer) {
    if (answer.error().kind == ErrorKind::kTimeout) {
      refuse_until_ = Steady::now() + options_.pause;
    }
    report(Failure(answer.error()));
    return unavailable(answer.error().code + ": " + answer.error().detail);
  }
  report({});
  return answer;
}

Result<std::optional<ImageRow>> RemoteViewReader::get(const ImageId& id) {
  const auto answer = ask(view_wire::row_path(id));
  if (!answer) return Failure(answer.error());
  if (answer->status == 204) return std::nullopt;
  if (answer->status != 200) return refused(*answer);
  return as_reader_sees(decode_row(id, answer->body)).map([](ImageRow row) {
    return std::optional<ImageRow>(std::move(row));
  });
}

Result<ListPage> RemoteViewReader::list(const ListQuery& query) {
  // Anything else would have to be escaped, and no list gives it.
  if (!is_hex(query.cursor) || query.cursor.size() > 1'000) return refused({400, {}});
  ListQuery cut = query;
  cut.limit = std::min(query.limit, kMaxListLimit);
  const auto answer = ask(view_wire::list_path(cut));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return refused(*answer);
  return as_reader_sees(view_wire::decode_list(answer->body));
}

Result<std::vector<HistoryEntry>> RemoteViewReader::history(const ImageId& id) {
  const auto answer = ask(view_wire::history_path(id));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return refused(*answer);
  return as_reader_sees(view_wire::decode_history_list(id, answer->body));
}

Result<ViewStats> RemoteViewReader::stats() {
  const auto answer = ask(view_wire::stats_path());
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return refused(*answer);
  auto stats = as_reader_sees(view_wire::decode_stats(answer->body));
  if (stats) note(*stats);
  return stats;
}

Result<ChangePage> RemoteViewReader::changes(std::uint64_t after, std::size_t limit) {
  const auto answer = ask(view_wire::changes_path(after, limit));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return refused(*answer);
  auto page = as_reader_sees(view_wire::decode_changes(answer->body));
  if (page) note_feed(*page);
  return page;
}

Result<std::int64_t> RemoteViewReader::position(Topic topic, std::int32_t partition) {
  return stats().map([&](const ViewStats& stats) {
    return position_of(stats.positions, {topic, partition});
  });
}

void RemoteViewReader::wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset,
                                Deadline deadline, std::function<void(bool reached)> done) {
  wait({{topic, partition}, next_offset, deadline}, std::move(done));
}

void RemoteViewReader::wait_for_change(std::uint64_t after, Deadline deadline,
                                       std::function<void(bool changed)> done) {
  wait({kFeedPlace, static_cast<std::int64_t>(after) + 1, deadline}, std::move(done));
}

bool RemoteViewReader::reached(const Waiters::Wanted& wanted) const {
  const std::lock_guard lock(mutex_);
  return !heard_.view_id.empty() &&
         position_of(heard_.places, wanted.partition) >= wanted.next_offset;
}

void RemoteViewReader::wait(const Waiters::Wanted& wanted, std::function<void(bool)> done) {
  waiters_.add(wanted, std::move(done), [&] { return reached(wanted); });
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

// The lowest offset that somebody waits for at each place, unless it is asked about already.
void RemoteViewReader::ask_for_waiters() {
  // Before our own lock: the waiters' is held when reached() takes ours.
  const auto lowest = waiters_.lowest();
  std::vector<Waiters::Wanted> due;
  {
    const std::lock_guard lock(mutex_);
    if (Steady::now() < ask_not_before_) return;
    for (const auto& wanted : lowest) {
      const auto asked = asking_.find(wanted.partition);
      if (asked != asking_.end() && asked->second <= wanted.next_offset) continue;
      asking_[wanted.partition] = wanted.next_offset;
      due.push_back(wanted);
    }
  }
  for (const auto& wanted : due) send_wait(wanted);
}

void RemoteViewReader::send_wait(const Waiters::Wanted& wanted) {
  const auto left = std::chrono::ceil<milliseconds>(wanted.deadline - Steady::now());
  const auto limit = std::clamp(left, milliseconds(0), options_.wait_limit);
  const view_wire::Wait question{wanted.partition, wanted.next_offset, limit};
  Asked asked{wanted, Steady::now() + limit, {}};
  {
    const std::lock_guard lock(mutex_);
    asked.view_id = heard_.view_id;
  }
  fetcher_->fetch(
      options_.url + view_wire::wait_path(question), limit + options_.timeout,
      [this, asked](const Result<Fetched>& answer) { on_wait_answered(asked, answer); });
}

// On the fetcher's thread, which must not wait for another answer: those who wait are told on ours.
void RemoteViewReader::on_wait_answered(const Asked& asked, const Result<Fetched>& answer) {
  const auto& wanted = asked.wanted;
  Result<ViewStats> stats = unavailable("no answer");
  if (answer && answer->status == 200) {
    stats = as_reader_sees(view_wire::decode_stats(answer->body));
  }
  if (stats) note(*stats);
  // Else too many wait there already, and the next question would be answered as soon as this one.
  const bool waited_for =
      stats && (reached(wanted) || stats->view_id != asked.view_id || Steady::now() >= asked.until);
  {
    const std::lock_guard lock(mutex_);
    const auto under_way = asking_.find(wanted.partition);
    if (under_way != asking_.end() && under_way->second == wanted.next_offset) {
      asking_.erase(under_way);
    }
    if (!waited_for) ask_not_before_ = Steady::now() + options_.pause;
    woken_ = true;
  }
  wake_.notify_one();
}

// Where the view stands, from any answer.
void RemoteViewReader::note(const ViewStats& stats) {
  Positions places = stats.positions;
  places[kFeedPlace] = static_cast<std::int64_t>(stats.newest_change);
  {
    const std::lock_guard lock(mutex_);
    feed_began_anew_ =
        feed_began_anew_ || (!heard_.view_id.empty() && heard_.view_id != stats.view_id);
    heard_ = {stats.view_id, std::move(places)};
    woken_ = true;
  }
  wake_.notify_one();
}

// Whoever reads the feed asks next to be told of what is behind this page: against the number of
// the view before, he would be told so at once, again and again, until another answer comes.
void RemoteViewReader::note_feed(const ChangePage& page) {
  {
    const std::lock_guard lock(mutex_);
    const auto newest = static_cast<std::int64_t>(page.newest);
    const bool another = heard_.view_id != page.view_id;
    auto& known = heard_.places[kFeedPlace];
    if (!another && newest <= known) return;
    feed_began_anew_ = feed_began_anew_ || (another && !heard_.view_id.empty());
    heard_.view_id = page.view_id;
    known = newest;
    woken_ = true;
  }
  wake_.notify_one();
}

// Tells those whose place is reached, or whose time is over.
void RemoteViewReader::settle() {
  Positions places;
  {
    const std::lock_guard lock(mutex_);
    places = heard_.places;
    if (std::exchange(feed_began_anew_, false)) {
      places[kFeedPlace] = std::numeric_limits<std::int64_t>::max();  // everybody looks
    }
  }
  waiters_.settle(&places, Steady::now());
}

void RemoteViewReader::report(const Result<void>& outcome) {
  const auto problem = outcome ? std::string() : outcome.error().code + outcome.error().detail;
  {
    const std::lock_guard lock(mutex_);
    if (problem == last_problem_) return;  // once, not at every question
    last_problem_ = problem;
  }
  if (!outcome) {
    log_.warn("the view does not answer", {{"url", options_.url},
                                           {"code", outcome.error().code},
                                           {"detail", outcome.error().detail}});
  }
}

void RemoteViewReader::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    settle();
    ask_for_waiters();
    auto until = Steady::now() + options_.wait_limit;
    if (const auto deadline = waiters_.next_deadline()) until = std::min(until, *deadline);
    const bool somebody_waits = !waiters_.empty();
    std::unique_lock lock(mutex_);
    if (somebody_waits && ask_not_before_ > Steady::now()) {
      until = std::min(until, ask_not_before_);
    }
    wake_.wait_until(lock, stop, until, [this] { return woken_; });
    woken_ = false;
  }
}

}  // namespace thumb
