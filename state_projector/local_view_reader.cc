// One thread follows pointer and files; readers take a shared handle and never wait for it.
#include "state_projector/local_view_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "state_projector/rocks/rocks_follower.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

using Steady = std::chrono::steady_clock;

// So many looks in a row that each find a change are a stream. One image makes three or four.
constexpr int kStream = 6;

// So many looks in a row that find a change without an event of it are no chance.
constexpr int kSilentChanges = 3;

Failure no_view() {
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "there is no view yet");
}

// To a reader of the view damage and absence are one: ask again, the projector makes it anew.
template <typename T>
Result<T> as_reader_sees(Result<T> result) {
  if (result || result.error().kind == ErrorKind::kInvalid) return result;
  const auto& error = result.error();
  return fail_transient(ErrorKind::kUnavailable, "view-unavailable", "the view can't be read",
                        error.code + ": " + error.message + ": " + error.detail);
}

}  // namespace

LocalViewReader::LocalViewReader(LocalViewOptions options, Log& log)
    : options_(std::move(options)), folder_(options_.view_dir), log_(log) {
  refresh();  // a view that is there serves from the first call on
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LocalViewReader::~LocalViewReader() {
  thread_.request_stop();
  thread_.join();
}

Result<std::optional<ImageRow>> LocalViewReader::get(const ImageId& id) {
  const auto view = serving_or_error();
  if (!view) return Failure(view.error());
  auto row = as_reader_sees(read_row(*(*view)->follower, id));
  if (row && *row && !(*row)->visible()) return std::nullopt;
  return row;
}

Result<ListPage> LocalViewReader::list(const ListQuery& query) {
  const auto view = serving_or_error();
  if (!view) return Failure(view.error());
  return as_reader_sees(list_rows(*(*view)->follower, query));
}

Result<std::vector<HistoryEntry>> LocalViewReader::history(const ImageId& id) {
  const auto view = serving_or_error();
  if (!view) return Failure(view.error());
  auto row = as_reader_sees(read_row(*(*view)->follower, id));
  if (!row) return Failure(row.error());
  if (!*row || !(*row)->visible() || (*row)->deleted) return std::vector<HistoryEntry>();
  return as_reader_sees(read_history(*(*view)->follower, id));
}

Result<ViewStats> LocalViewReader::stats() {
  const auto view = serving_or_error();
  if (!view) return Failure(view.error());
  auto counts = as_reader_sees(read_counts(*(*view)->follower));
  if (!counts) return Failure(counts.error());
  const auto unreadable = as_reader_sees(read_unreadable_count(*(*view)->follower));
  if (!unreadable) return Failure(unreadable.error());
  Positions positions = (*view)->places;
  positions.erase(kFeedPlace);
  return ViewStats{(*view)->view_id, std::move(*counts), *unreadable, (*view)->newest_change(),
                   std::move(positions)};
}

Result<ChangePage> LocalViewReader::changes(std::uint64_t after, std::size_t limit) {
  const auto view = serving_or_error();
  if (!view) return Failure(view.error());
  auto page =
      as_reader_sees(read_changes(*(*view)->follower, after, (*view)->newest_change(), limit));
  if (page) page->view_id = (*view)->view_id;
  return page;
}

Result<std::int64_t> LocalViewReader::position(Topic topic, std::int32_t partition) {
  return serving_or_error().map([&](const std::shared_ptr<const Serving>& view) {
    return position_of(view->places, {topic, partition});
  });
}

void LocalViewReader::wait_for(Topic topic, std::int32_t partition, std::int64_t next_offset,
                               Deadline deadline, std::function<void(bool reached)> done) {
  wait({{topic, partition}, next_offset, deadline}, std::move(done));
}

void LocalViewReader::wait_for_change(std::uint64_t after, Deadline deadline,
                                      std::function<void(bool changed)> done) {
  wait({kFeedPlace, static_cast<std::int64_t>(after) + 1, deadline}, std::move(done));
}

void LocalViewReader::wait(const Waiters::Wanted& wanted, std::function<void(bool)> done) {
  waiters_.add(wanted, std::move(done), [&] {
    const auto view = serving();
    return view && position_of(view->places, wanted.partition) >= wanted.next_offset;
  });
  watch_.wake();
}

std::uint64_t LocalViewReader::Serving::newest_change() const {
  return static_cast<std::uint64_t>(position_of(places, kFeedPlace));
}

std::shared_ptr<const LocalViewReader::Serving> LocalViewReader::serving() const {
  const std::lock_guard lock(serving_mutex_);
  return serving_;
}

Result<std::shared_ptr<const LocalViewReader::Serving>> LocalViewReader::serving_or_error() const {
  auto view = serving();
  if (!view) return no_view();
  return view;
}

Result<void> LocalViewReader::publish(std::shared_ptr<RocksFollower> follower,
                                      const std::string& view_id) {
  auto positions = read_positions(*follower);
  if (!positions) return Failure(std::move(positions.error()));
  const auto last_change = read_last_change(*follower);
  if (!last_change) return Failure(last_change.error());
  (*positions)[kFeedPlace] = static_cast<std::int64_t>(*last_change);
  const auto next =
      std::make_shared<const Serving>(Serving{std::move(follower), view_id, std::move(*positions)});
  const auto last = serving();
  if (last && last->follower != next->follower) retired_.push_back(last->follower);
  if (last && last->view_id != view_id) feed_began_anew_ = true;
  const std::lock_guard lock(serving_mutex_);
  serving_ = next;
  return {};
}

// Nobody finds one any more that was replaced: who has it still is a reader that will let it go.
void LocalViewReader::close_retired() {
  std::erase_if(retired_, [](const auto& follower) { return follower.use_count() == 1; });
}

void LocalViewReader::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { watch_.wake(); });
  while (!stop.stop_requested()) {
    sleep();
    if (stop.stop_requested()) return;
    if (Steady::now() >= next_look(!waiters_.empty())) refresh();
    settle();
    close_retired();
  }
}

// Until it is time for a look, a waiter's deadline, or the kernel tells of something.
void LocalViewReader::sleep() {
  auto until = next_look(!waiters_.empty());
  if (const auto deadline = waiters_.next_deadline()) until = std::min(until, *deadline);
  // What has been noticed is read when its time comes; more of it is no news.
  const bool was_noticed = noticed_;
  const auto seen = watch_.wait(until, !noticed_);
  noticed_ = noticed_ || seen.data || seen.pointer;
  if (seen.pointer) next_pointer_look_ = {};
  if (noticed_) silent_changes_ = 0;
  // A look would have been in vain since the last: what comes now is a single change again.
  const bool rested = Steady::now() > last_look_ + next_interval(false);
  if (noticed_ && !was_noticed && rested) looks_with_change_ = 0;
}

Deadline LocalViewReader::next_look(bool eager) const {
  if (noticed_) return last_look_ + next_interval(eager);
  if (failed_ || !serving()) return last_look_ + options_.pointer_interval;
  if (!watching_) return last_look_ + next_interval(eager);
  return last_look_ + options_.full_look_interval;
}

void LocalViewReader::settle() {
  const auto view = serving();
  waiters_.settle(view ? &view->places : nullptr, Steady::now());
  if (!std::exchange(feed_began_anew_, false)) return;
  const Positions whatever{{kFeedPlace, std::numeric_limits<std::int64_t>::max()}};
  waiters_.settle(&whatever, Steady::now());
}

// A file system on another machine takes watches and tells of nothing: a change that no event came
// with is a proof of that.
void LocalViewReader::mistrust_silence() {
  const auto view = serving();
  if (!watching_ || noticed_ || !view || !view->follower->behind()) return;
  const auto seen = watch_.wait(Steady::now(), true);  // it may have come just now
  if (seen.pointer) next_pointer_look_ = {};
  if (seen.data || seen.pointer) {
    silent_changes_ = 0;
    return;
  }
  // Files grow a moment before the event of it: once may be chance.
  if (++silent_changes_ < kSilentChanges) return;
  deaf_ = true;
  log_.warn("the view's changes are not told by its file system; looking for them often instead",
            {{"folder", folder_.root().string()}});
}

std::chrono::milliseconds LocalViewReader::next_interval(bool eager) const {
  if (eager) return options_.eager_interval;
  return looks_with_change_ < kStream ? options_.quiet_interval : options_.busy_interval;
}

void LocalViewReader::refresh() {
  mistrust_silence();
  last_look_ = Steady::now();
  must_read_ = std::exchange(noticed_, false);
  // Watched before it is read, so that nothing comes between.
  const bool was_watching = watching_;
  const bool root_watched = watch_.watch_root(folder_.root());
  auto outcome = follow_pointer();
  const auto view = serving();
  watching_ = !deaf_ && root_watched && view && watch_.watch_view(folder_.path_of(view->view_id));
  if (watching_ && !was_watching) must_read_ = true;  // what came before the watch was not told
  if (outcome) outcome = catch_up();
  failed_ = !outcome;
  report(outcome);
}

Result<void> LocalViewReader::follow_pointer() {
  const auto now = Steady::now();
  if (now < next_pointer_look_) return {};
  const auto view = serving();
  if (view) next_pointer_look_ = now + options_.pointer_interval;
  const auto current = folder_.current();
  if (!current) return Failure(current.error());
  if (!*current) return {};  // none yet, or removed: what was open goes on serving
  if (view && view->view_id == **current) return {};
  return open(**current);
}

Result<void> LocalViewReader::open(const std::string& view_id) {
  auto follower = RocksFollower::open(folder_.path_of(view_id));
  if (!follower) return Failure(std::move(follower.error()));
  const auto meta = read_meta(**follower);
  if (!meta) return Failure(meta.error());
  if (meta->row_version != kRowVersion) {
    return fail_transient(ErrorKind::kUnavailable, "view-unavailable",
                          "the view was written by another version of this program");
  }
  must_read_ = true;  // it is watched from now on only
  return publish(std::move(*follower), view_id);
}

Result<void> LocalViewReader::catch_up() {
  const auto view = serving();
  if (!view) return {};
  // Times of folders are coarse on some kernels: without an event, a change within one tick shows
  // at the next full look.
  const auto now = Steady::now();
  const bool changed = std::exchange(must_read_, false) || view->follower->behind();
  looks_with_change_ = changed ? std::min(looks_with_change_ + 1, kStream) : 0;
  if (!changed && (watching_ || now < next_full_look_)) return {};
  next_full_look_ = now + options_.full_look_interval;
  const auto caught_up = view->follower->catch_up();
  // A failed catch-up may leave the instance in the middle: a new one starts clean.
  if (!caught_up || *caught_up == RocksFollower::CaughtUp::kReplace) return open(view->view_id);
  return publish(view->follower, view->view_id);
}

void LocalViewReader::report(const Result<void>& outcome) {
  const auto problem = outcome ? std::string() : outcome.error().code + outcome.error().detail;
  if (problem == last_problem_) return;  // once, not at every look
  last_problem_ = problem;
  if (!outcome)
    log_.warn("view not followed", {{"code", outcome.error().code},
                                    {"error", outcome.error().message},
                                    {"detail", outcome.error().detail}});
}

}  // namespace thumb
